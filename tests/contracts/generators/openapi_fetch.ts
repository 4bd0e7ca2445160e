// A shop written against the types of openapi-typescript with openapi-fetch; prints what it was answered as JSON.
import createClient from "openapi-fetch";

import type { components as AdminComponents, paths as AdminPaths } from "./generated/admin";
import type { components, paths } from "./generated/main";

declare const process: { argv: string[] };
type PlacedAnswer = components["schemas"]["PlacedAnswer"];
type Problem = components["schemas"]["Problem"];
type AnyAnswer = PlacedAnswer | components["schemas"]["Answer"];

const [url, adminUrl, token, now] = process.argv.slice(2) as [string, string, string, string];
const shop = createClient<paths>({ baseUrl: url });
const admin = createClient<AdminPaths>({ baseUrl: adminUrl, headers: { authorization: `Bearer ${token}` } });
const timestamp = Number(now);

function isPlaced(answer: AnyAnswer): answer is PlacedAnswer {
  return "placement" in answer;
}

async function ask(body: components["schemas"]["RecommendRequest"]): Promise<AnyAnswer> {
  const { data, error } = await shop.POST("/v1/recommend", { body });
  if (error) throw new Error(error.detail);
  return data;
}

async function place(body: components["schemas"]["RecommendRequest"]): Promise<PlacedAnswer> {
  const answer = await ask(body);
  if (!isPlaced(answer)) throw new Error("not a placement");
  return answer;
}

async function feed(): Promise<AdminComponents["schemas"]["FeedReport"]> {
  const items = ["phone", "phone-se", "case", "film", "cable"].map((item_id) => ({ item_id, stock: 9 }));
  const body = { time_ms: timestamp, items: [...items, { item_id: "coat", stock: 0, price: null }] };
  const { data, error } = await admin.PUT("/v1/items", { body });
  if (error) throw new Error(error.detail);
  return data;
}

async function refusal(): Promise<Problem> {
  const { error, response } = await shop.POST("/v1/recommend", { body: { session: [], k: 0 } });
  if (!error || response.status !== 422) throw new Error(`not refused: ${response.status}`);
  return error;
}

async function main(): Promise<void> {
  const fed = await feed();
  const carted = { session: [{ item_id: "phone", behaviour: "cart" }], timestamp };
  const checkout = await place({ ...carted, placement: "checkout", cart: [{ item_id: "phone", quantity: 1 }] });
  const product = await place({
    session: [{ item_id: "phone" }],
    placement: "product",
    language: "zh",
    explain: true,
    timestamp,
  });
  const list = await ask({
    session: [{ item_id: "phone" }],
    candidates: ["ghost", "scarf", "coat", "film"],
    filter: { price: { at_most: 100 } },
    names: true,
  });
  const page = await shop.POST("/v1/page", {
    body: { session: [{ item_id: "phone" }], timestamp, placements: [{ placement: "product" }, { placement: "fashion", k: 1 }] },
  });
  const plain = await ask({ session: [{ item_id: "phone", timestamp: null }] });
  const model = await shop.GET("/v1/model");
  const wrong = await refusal();
  const reason: string = checkout.items[0]?.reason ?? "";
  const percent: number = checkout.promotion?.percent ?? 0;
  const digest: string | undefined = model.data?.dataset?.digest;
  console.log(
    JSON.stringify({
      fed: fed.items,
      checkout: checkout.items.map((item) => item.item_id),
      slots: checkout.items.length,
      reason,
      percent,
      bundles: checkout.bundles.map((bundle) => bundle.missing),
      product: product.items.map((item) => Object.keys(item.parts ?? {}).length > 0),
      list: list.items.map((item) => item.name),
      page: page.data?.placements.map((answer) => answer.items.map((item) => item.item_id)),
      plain: plain.items.length,
      digest,
      refusal: [wrong.field, wrong.allowed],
    }),
  );
}

void main();
