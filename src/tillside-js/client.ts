// Client of a tillside server: its answer within a deadline, or else the shop's own list; `Client` never rejects.
//
// Types come from schema.ts and admin-schema.ts, which are made from the documents that the server answers with.
import type { components as AdminComponents } from "./admin-schema";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type RecommendRequest = Schemas["RecommendRequest"];
export type Event = Schemas["Event"];
export type CartLine = Schemas["CartLine"];
export type Filter = Schemas["Filter"];
export type PagePlacement = Schemas["PagePlacement"];
export type Problem = Schemas["Problem"];
export type Model = Schemas["Model"];
export type ItemsFeed = AdminComponents["schemas"]["ItemsFeed"];
export type FeedReport = AdminComponents["schemas"]["FeedReport"];

/** Why there is no answer of the server; of a server's own reasons see `DegradedReason`. */
export type Failure = "timeout" | "connect" | "refused" | "bad_answer" | `status_${number}`;

/** An item of the server, or of the shop's own list: that has no score, and `caller` for a source. */
type Own<Item extends { score: number; source: string }> = Omit<Item, "score" | "source"> & {
  score: number | null;
  source: Item["source"] | "caller";
};
type OrOwn<Answer extends { items: { score: number; source: string }[]; tier: string }> = Omit<
  Answer,
  "items" | "tier" | "degraded_reason"
> & {
  items: Own<Answer["items"][number]>[];
  tier: Answer["tier"] | "caller";
  degraded_reason: Schemas["DegradedReason"] | Failure | null;
};
export type RecommendedItem = Own<Schemas["RecommendedItem"]>;
export type PlacedItem = Own<Schemas["PlacedItem"]>;
export type Answer = OrOwn<Schemas["Answer"]>;
/** Answer to a placement; where no policy could be asked its own fields are as of a policy that says nothing. */
export type PlacedAnswer = Omit<OrOwn<Schemas["PlacedAnswer"]>, "mode" | "policy"> & {
  mode: Schemas["Mode"] | null;
  policy: string | null;
};
type Asked = Omit<RecommendRequest, "placement" | "placements" | "deadline_ms">;

export interface Options {
  /** Base address of the server, such as http://tillside:8080. */
  url: string;
  /** The shop's own item ids, best first, for when the server gives no answer. */
  fallback?: readonly string[];
  /** Total time of one call; 50 when left out. */
  timeoutMs?: number;
  /** The server's bearer token, if it wants one. */
  token?: string;
  /** Called with the reason, and the problem of a refusal, whenever the own list answers. */
  onFailure?: (reason: Failure, problem?: Problem) => void;
}

const DEFAULT_K = 20;
const DEFAULT_TIMEOUT_MS = 50;
const MOST_DEADLINE_MS = 10_000;
const FAULTS: ReadonlySet<number> = new Set([408, 425, 429]);

/** What a shop asks. */
export class Client {
  readonly #url: string;
  readonly #options: Options;

  constructor(options: Options) {
    this.#url = base(options.url);
    this.#options = options;
  }

  /** Items for a session, or the shop's own list. */
  async recommend(request: Asked): Promise<Answer> {
    const found = await this.#ask<Schemas["Answer"]>("/v1/recommend", { ...request }, isAnswer);
    if (typeof found !== "string") return found;
    const k = request.k ?? request.candidates?.length ?? DEFAULT_K;
    return { ...this.#bare(request, found), items: this.#own(request, k).map((id) => ownItem(id, request)) };
  }

  /** Items of a placement of the policy, or the shop's own list. */
  async place(placement: string, request: Asked): Promise<PlacedAnswer> {
    const body = { ...request, placement };
    const found = await this.#ask<Schemas["PlacedAnswer"] | Schemas["Answer"]>("/v1/recommend", body, isAnswer);
    if (typeof found !== "string") return placed(placement, found);
    return this.#placedOwn(placement, request, this.#own(request, request.k ?? DEFAULT_K), found);
  }

  /** Items of several placements, in their order and none twice, or the shop's own list, dealt out likewise. */
  async page(placements: readonly (string | PagePlacement)[], request: Asked): Promise<PlacedAnswer[]> {
    const parts = placements.map((part) => (typeof part === "string" ? { placement: part } : part));
    const isPage = (body: unknown): body is Schemas["PageAnswer"] =>
      isObject(body) &&
      Array.isArray(body["placements"]) &&
      body["placements"].length === parts.length &&
      body["placements"].every(isAnswer);
    const found = await this.#ask("/v1/page", { ...request, placements: parts }, isPage);
    if (typeof found !== "string") {
      return found.placements.map((answer, number) => placed(parts[number]?.placement ?? "", answer));
    }
    const shown = new Set<string>();
    return parts.map((part: PagePlacement) => {
      const candidates = part.candidates ?? request.candidates;
      const asked = candidates === undefined ? request : { ...request, candidates };
      const left = this.#own(asked, Infinity).filter((id) => !shown.has(id));
      const ids = left.slice(0, part.k ?? request.k ?? DEFAULT_K);
      ids.forEach((id) => shown.add(id));
      return this.#placedOwn(part.placement, request, ids, found);
    });
  }

  /** What answers, and where it comes from; rejects with a TillsideError. */
  async model(): Promise<Model> {
    const options = { headers: headers(this.#options.token), signal: AbortSignal.timeout(MOST_DEADLINE_MS) };
    return (await call(`${this.#url}/v1/model`, options)) as Model;
  }

  /** The checked body of a 200, or why there is none. */
  async #ask<Body>(
    path: string,
    request: RecommendRequest,
    isBody: (body: unknown) => body is Body,
  ): Promise<Body | Failure> {
    const timeoutMs = Math.min(Math.max(this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS, 1), MOST_DEADLINE_MS);
    const body = JSON.stringify({ ...request, deadline_ms: Math.max(Math.floor(timeoutMs), 1) });
    const signal = AbortSignal.timeout(timeoutMs);
    let response: Response;
    try {
      response = await fetch(`${this.#url}${path}`, {
        method: "POST",
        headers: headers(this.#options.token),
        body,
        signal,
      });
      const answered: unknown = await response.json().catch((error: unknown) => {
        if (signal.aborted) throw error;
        return undefined;
      });
      if (response.ok) return isBody(answered) ? answered : this.#failed("bad_answer");
      const refused = response.status >= 400 && response.status < 500 && !FAULTS.has(response.status);
      return this.#failed(refused ? "refused" : `status_${response.status}`, isProblem(answered) ? answered : undefined);
    } catch {
      return this.#failed(signal.aborted ? "timeout" : "connect");
    }
  }

  #failed(reason: Failure, problem?: Problem): Failure {
    try {
      this.#options.onFailure?.(reason, problem);
    } catch {
      // a fault of the callback is no reason to fail a shop's page
    }
    return reason;
  }

  /** The shop's own list, or the request's candidates as they were sent, without what is not to be shown. */
  #own(request: Asked, k: number): string[] {
    const hidden = new Set([...(request.exclude ?? []), ...(request.cart ?? []).map((line) => line.item_id)]);
    if (request.hide_seen) request.session.forEach((event) => hidden.add(event.item_id));
    const ids = [...new Set(request.candidates ?? this.#options.fallback ?? [])];
    return ids.filter((id) => !hidden.has(id)).slice(0, k);
  }

  #placedOwn(placement: string, request: Asked, ids: readonly string[], reason: Failure): PlacedAnswer {
    const items = ids.map((id) => ({ ...ownItem(id, request), origin: "caller", rule: null, reason_key: "", reason: "" }));
    return { ...this.#bare(request, reason), ...SILENT, placement, items };
  }

  #bare(request: Asked, reason: Failure): Omit<Answer, "items"> {
    return {
      recommendation_id: globalThis.crypto.randomUUID().replaceAll("-", ""),
      tier: "caller",
      degraded_reason: reason,
      behaviour: request.behaviour ?? "",
      purchase_intent: null,
      unknown_items: [],
      model_version: null,
      bundle: null,
    };
  }
}

/** What a shop's own machines tell the admin port; rejects with a TillsideError. */
export class AdminClient {
  readonly #url: string;
  readonly #token: string | undefined;
  readonly #timeoutMs: number;

  constructor(options: { url: string; token?: string; timeoutMs?: number }) {
    this.#url = base(options.url);
    this.#token = options.token;
    this.#timeoutMs = options.timeoutMs ?? 60_000;
  }

  /** Stock, prices and new items; a field that is left out keeps what is known, null says that it is unknown. */
  async putItems(feed: ItemsFeed): Promise<FeedReport> {
    return (await this.send("PUT", "/v1/items", feed)) as FeedReport;
  }

  /** Any other path of the port, such as PUT /v1/pins or POST /v1/admin/reload. */
  async send(method: "GET" | "PUT" | "POST", path: string, document?: unknown): Promise<unknown> {
    const body = document === undefined ? {} : { body: JSON.stringify(document) };
    const signal = AbortSignal.timeout(this.#timeoutMs);
    return call(`${this.#url}${path}`, { method, headers: headers(this.#token), signal, ...body });
  }
}

/** The server refused, or could not be reached: `status` is then 0. */
export class TillsideError extends Error {
  constructor(
    readonly status: number,
    detail: string,
    readonly problem?: Problem,
  ) {
    super(detail);
    this.name = "TillsideError";
  }
}

const SILENT: Omit<PlacedAnswer, keyof Answer | "placement"> = {
  mode: null,
  why: [],
  bundles: [],
  promotion: null,
  policy: null,
  segment: null,
  notes: [],
};

function placed(placement: string, answer: Schemas["PlacedAnswer"] | Schemas["Answer"]): PlacedAnswer {
  if ("placement" in answer) return answer;
  return { ...answer, ...SILENT, placement, items: [] }; // no policy could be asked: nothing is shown
}

function ownItem(item_id: string, request: Asked): RecommendedItem {
  const seen = request.session.some((event) => event.item_id === item_id);
  return { item_id, score: null, source: "caller", because: null, seen };
}

async function call(url: string, options: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    throw new TillsideError(0, `no answer: ${String(error)}`);
  }
  const text = await response.text();
  let document: unknown = text;
  try {
    document = JSON.parse(text);
  } catch {
    // a text such as the metrics
  }
  if (response.ok) return document;
  const problem = isProblem(document) ? document : undefined;
  throw new TillsideError(response.status, problem?.detail ?? `status ${response.status}`, problem);
}

function headers(token: string | undefined): Record<string, string> {
  const own = { "content-type": "application/json" };
  return token === undefined ? own : { ...own, authorization: `Bearer ${token}` };
}

function base(url: string): string {
  if (!/^https?:\/\/[^/]/.test(url)) throw new TypeError(`url must be an address such as http://tillside:8080, got ${url}`);
  return url.replace(/\/+$/, "");
}

function isObject(body: unknown): body is Record<string, unknown> {
  return typeof body === "object" && body !== null;
}

function isAnswer(body: unknown): body is Schemas["Answer"] {
  return (
    isObject(body) &&
    typeof body["recommendation_id"] === "string" &&
    typeof body["tier"] === "string" &&
    Array.isArray(body["items"]) &&
    body["items"].every((item: unknown) => isObject(item) && typeof item["item_id"] === "string")
  );
}

function isProblem(body: unknown): body is Problem {
  return isObject(body) && typeof body["detail"] === "string" && typeof body["status"] === "number";
}
