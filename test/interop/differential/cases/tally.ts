import type { KnownDifference } from "./known-differences.js";
import type { Abilities } from "./side-by-side.js";

interface Row {
  accepted: number;
  refused: number;
  /** The number of accepted clients that tried what they can do. */
  tried: number;
  known: number;
}

/** How many logins were decided how, by dimension. */
export class Tally {
  readonly #rows = new Map<string, Row>();
  /** The known differences that have come up. */
  readonly seen = new Set<KnownDifference>();

  count(dimension: string, ours: "accepted" | "refused" | Abilities, known: readonly KnownDifference[]): void {
    const row = this.#rows.get(dimension) ?? { accepted: 0, refused: 0, tried: 0, known: 0 };
    this.#rows.set(dimension, row);
    if (ours === "refused") row.refused++;
    else row.accepted++;
    if (typeof ours === "object") row.tried++;
    if (known.length > 0) row.known++;
    for (const difference of known) this.seen.add(difference);
  }

  get total(): Readonly<Row> & { readonly all: number } {
    const rows = [...this.#rows.values()];
    const sum = (field: keyof Row) => rows.reduce((total, row) => total + row[field], 0);
    const [accepted, refused] = [sum("accepted"), sum("refused")];
    return { all: accepted + refused, accepted, refused, tried: sum("tried"), known: sum("known") };
  }

  toString(): string {
    const line = (name: string, { accepted, refused, tried, known }: Row) =>
      `${name}: ${accepted} accepted (${tried} tried permissions), ${refused} refused (${known} by known differences)`;
    return [...[...this.#rows].map(([name, row]) => line(name, row)), line("total", this.total)].join("\n");
  }
}
