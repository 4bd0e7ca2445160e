// The same shop written against the functions of @hey-api/openapi-ts; prints what it was answered as JSON.
import { createClient as createAdmin } from "./generated/hey-admin/client";
import { putItems } from "./generated/hey-admin/sdk.gen";
import { createClient } from "./generated/hey-main/client";
import { model, page, recommend } from "./generated/hey-main/sdk.gen";
import type { Answer, PlacedAnswer, RecommendRequest } from "./generated/hey-main/types.gen";

declare const process: { argv: string[] };

const [url, adminUrl, token, now] = process.argv.slice(2) as [string, string, string, string];
const client = createClient({ baseUrl: url });
const admin = createAdmin({ baseUrl: adminUrl, auth: token });
const timestamp = Number(now);

async function ask(body: RecommendRequest): Promise<PlacedAnswer | Answer> {
  const { data } = await recommend({ client, body, throwOnError: true });
  return data;
}

async function place(body: RecommendRequest): Promise<PlacedAnswer> {
  const answer = await ask(body);
  if (!("placement" in answer)) throw new Error("not a placement");
  return answer;
}

async function main(): Promise<void> {
  const items = ["phone", "phone-se", "case", "film", "cable"].map((item_id) => ({ item_id, stock: 9 }));
  const fed = await putItems({
    client: admin,
    body: { time_ms: timestamp, items: [...items, { item_id: "coat", stock: 0, price: null }] },
    throwOnError: true,
  });
  const carted = { session: [{ item_id: "phone", behaviour: "cart" }], timestamp };
  const checkout = await place({ ...carted, placement: "checkout", cart: [{ item_id: "phone", quantity: 1 }] });
  const seen = { session: [{ item_id: "phone" }], timestamp };
  const product = await place({ ...seen, placement: "product", language: "zh", explain: true });
  const list = await ask({
    session: [{ item_id: "phone" }],
    candidates: ["ghost", "scarf", "coat", "film"],
    filter: { price: { at_most: 100 } },
    names: true,
  });
  const both = await page({
    client,
    body: { ...seen, placements: [{ placement: "product" }, { placement: "fashion", k: 1 }] },
    throwOnError: true,
  });
  const plain = await ask({ session: [{ item_id: "phone", timestamp: null }] });
  const about = await model({ client, throwOnError: true });
  const { error, response } = await recommend({ client, body: { session: [], k: 0 } });
  if (!error || response?.status !== 422) throw new Error("not refused");
  const digest: string | undefined = about.data.dataset?.digest;
  console.log(
    JSON.stringify({
      fed: fed.data.items,
      checkout: checkout.items.map((item) => item.item_id),
      slots: checkout.items.length,
      reason: checkout.items[0]?.reason ?? "",
      percent: checkout.promotion?.percent ?? 0,
      bundles: checkout.bundles.map((bundle) => bundle.missing),
      product: product.items.map((item) => Object.keys(item.parts ?? {}).length > 0),
      list: list.items.map((item) => item.name),
      page: both.data.placements.map((answer) => answer.items.map((item) => item.item_id)),
      plain: plain.items.length,
      digest,
      refusal: [error.field, error.allowed],
    }),
  );
}

void main();
