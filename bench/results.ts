import type { ContenderName } from "./servers/contender.js";

/** sshd needs a program at its end of the channel, and the machine pays for both: shown beside sshd alone. */
export type ColumnName = ContenderName | "sshd + command";

export type Unit =
  | "CPU s/GiB"
  | "MB/s"
  | "CPU ms"
  | "ms"
  | "µs median"
  | "µs 99th"
  | "KiB"
  | "KiB/connection"
  | "KiB/channel";

export interface Series {
  readonly caseName: string;
  readonly unit: Unit;
  readonly samples: Map<ColumnName, number[]>;
}

/** What `--json` writes. */
export interface SavedRun {
  readonly date: string;
  readonly options: { readonly rounds: number; readonly transferBytes: number };
  /** The programs that took part, and their machine. */
  readonly contenders: readonly string[];
  readonly results: readonly SavedSeries[];
}

export interface SavedSeries {
  readonly case: string;
  readonly unit: Unit;
  readonly medians: Readonly<Partial<Record<ColumnName, number>>>;
  readonly samples: Readonly<Partial<Record<ColumnName, readonly number[]>>>;
}

/** All samples of a run, in the order in which the cases were first measured. */
export class Results {
  readonly #series: Series[] = [];

  add(caseName: string, unit: Unit, column: ColumnName, value: number): void {
    let series = this.of(caseName).find((one) => one.unit === unit);
    if (series === undefined) {
      series = { caseName, unit, samples: new Map() };
      this.#series.push(series);
    }
    const samples = series.samples.get(column);
    if (samples === undefined) series.samples.set(column, [value]);
    else samples.push(value);
  }

  /** One series for each unit of a case; none when it was left out. */
  of(caseName: string): readonly Series[] {
    return this.#series.filter((series) => series.caseName === caseName);
  }

  static fromJSON(saved: readonly SavedSeries[]): Results {
    const results = new Results();
    for (const { case: caseName, unit, samples } of saved) {
      results.#series.push({ caseName, unit, samples: new Map(Object.entries(samples) as [ColumnName, number[]][]) });
    }
    return results;
  }

  toJSON(): readonly SavedSeries[] {
    return this.#series.map(({ caseName, unit, samples }) => ({
      case: caseName,
      unit,
      medians: Object.fromEntries([...samples].map(([column, values]) => [column, median(values)])),
      samples: Object.fromEntries(samples),
    }));
  }
}

/** @throws {RangeError} when there are no values */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError("no values");
  return (lower + upper) / 2;
}
