import { OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED } from "../protocol/constants.js";

/** Why a channel is not opened (RFC 4254 §5.1). */
export interface OpenRefusal {
  /** 1 to 4, OPEN_FAILED_…. */
  readonly reason: number;
  /** For people, to whom the peer may show it. Up to 256 characters are sent. */
  readonly description: string;
}

const MAX_DESCRIPTION_LENGTH = 256;

/** Texts by reason, where the answer is a number. */
const descriptions: ReadonlyMap<unknown, string> = new Map([
  [1, "administratively prohibited"],
  [2, "connect failed"],
  [3, "unknown channel type"],
  [4, "too many channels"],
]);

/** The refusal for an answer that is not OPEN_SUCCEEDED: an answer that is not a reason becomes "prohibited". */
export function openRefusal(answer: unknown): OpenRefusal {
  const { reason, description } = isRefusal(answer) ? answer : { reason: answer, description: undefined };
  const known =
    typeof reason === "number" && descriptions.has(reason) ? reason : OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED;
  const text = typeof description === "string" ? cut(description) : descriptions.get(known);
  return { reason: known, description: text ?? "" };
}

function isRefusal(answer: unknown): answer is { readonly reason?: unknown; readonly description?: unknown } {
  return typeof answer === "object" && answer !== null;
}

/** Whole characters: half of one would not be UTF-8. */
function cut(text: string): string {
  return text.slice(0, MAX_DESCRIPTION_LENGTH).replace(/[\ud800-\udbff]$/, "");
}
