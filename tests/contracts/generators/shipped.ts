// The same shop written against the client that ships, and one whose server is not there; prints JSON.
import { AdminClient, Client, TillsideError, type Problem } from "tillside";

declare const process: { argv: string[] };

const [url, adminUrl, token, now] = process.argv.slice(2) as [string, string, string, string];
const timestamp = Number(now);
const refusals: (Problem | undefined)[] = [];
const client = new Client({ url, timeoutMs: 10_000, onFailure: (_, problem) => refusals.push(problem) });
const admin = new AdminClient({ url: `${adminUrl}/`, token });
const nobody = new Client({ url: "http://127.0.0.1:1", fallback: ["bag", "card", "bow", "ring"], timeoutMs: 5_000 });

async function withoutServer(): Promise<unknown[]> {
  const session = [{ item_id: "card" }];
  const own = await nobody.recommend({ session, k: 2, hide_seen: true });
  const list = await nobody.recommend({ session, candidates: ["x", "y", "z"], exclude: ["y"] });
  const cart = await nobody.place("checkout", { session: [], cart: [{ item_id: "bag" }], k: 1 });
  const page = await nobody.page([{ placement: "a", k: 1 }, "b"], { session: [], k: 2 });
  return [
    [own, list, cart, ...page].map((answer) => answer.items.map((item) => item.item_id)),
    [own.tier, own.degraded_reason, cart.placement, cart.mode],
  ];
}

async function main(): Promise<void> {
  const items = ["phone", "phone-se", "case", "film", "cable"].map((item_id) => ({ item_id, stock: 9 }));
  const fed = await admin.putItems({ time_ms: timestamp, items: [...items, { item_id: "coat", stock: 0, price: null }] });
  const cart = [{ item_id: "phone", quantity: 1 }];
  const checkout = await client.place("checkout", { session: [{ item_id: "phone", behaviour: "cart" }], cart, timestamp });
  const seen = { session: [{ item_id: "phone" }], timestamp };
  const product = await client.place("product", { ...seen, language: "zh", explain: true });
  const list = await client.recommend({
    session: [{ item_id: "phone" }],
    candidates: ["ghost", "scarf", "coat", "film"],
    filter: { price: { at_most: 100 } },
    names: true,
  });
  const page = await client.page(["product", { placement: "fashion", k: 1 }], seen);
  const plain = await client.recommend({ session: [{ item_id: "phone", timestamp: null }] });
  const about = await client.model();
  const wrong = await client.recommend({ session: [], k: 0 });
  const refused = await admin
    .putItems({ time_ms: 0, items: [] })
    .then(() => 200)
    .catch((error: unknown) => (error instanceof TillsideError ? error.status : 0));
  const [problem] = refusals;
  console.log(
    JSON.stringify({
      fed: fed.items,
      checkout: checkout.items.map((item) => item.item_id),
      slots: checkout.items.length,
      reason: checkout.items[0]?.reason ?? "",
      percent: checkout.promotion?.percent ?? 0,
      bundles: checkout.bundles.map((bundle) => bundle.missing),
      product: product.items.map((item) => Object.keys(item.parts ?? {}).length > 0),
      list: list.items.map((item) => item.name),
      page: page.map((answer) => answer.items.map((item) => item.item_id)),
      plain: plain.items.length,
      digest: about.dataset?.digest,
      refusal: [problem?.field, problem?.allowed],
      own: [wrong.tier, wrong.degraded_reason, refused],
      alone: await withoutServer(),
    }),
  );
}

void main();
