import type { BenchCase, Target } from "./cases.js";
import { type ColumnName, median, type Results, type Series, type Unit } from "./results.js";

const none = "–";
const header = [
  "case",
  "unit",
  "spindlex",
  "ssh2",
  "sshd",
  "sshd + command",
  "ours/sshd",
  "ours/ssh2",
  "target",
  "met",
];

/** The medians of a run beside what the project promises, in Markdown. */
export function renderTable(cases: readonly BenchCase[], results: Results): string {
  const rows = cases.flatMap((benchCase) =>
    unitsOf(benchCase).flatMap((unit) => {
      const series = results.find(benchCase.name, unit);
      // Throughput in MB/s depends on the client too; promises are about the server's CPU.
      return series === undefined ? [] : [renderRow(series, unit === "MB/s" ? {} : benchCase.target)];
    }),
  );
  return alignColumns([header, ...rows]);
}

function unitsOf(benchCase: BenchCase): readonly Unit[] {
  switch (benchCase.kind) {
    case "throughput":
      return ["CPU s/GiB", "MB/s"];
    case "connect":
      return ["CPU ms"];
    case "idle":
      return ["KiB"];
  }
}

function renderRow({ caseName, unit, samples }: Series, target: Target): string[] {
  const medianOf = (name: ColumnName) => {
    const values = samples.get(name);
    return values === undefined ? undefined : median(values);
  };
  const ours = medianOf("spindlex");
  const ssh2 = medianOf("ssh2");
  const sshd = medianOf("sshd");
  const checks = [
    { text: "× sshd", limit: target.ratioToSshd, value: ratio(ours, sshd) },
    { text: "× ssh2", limit: target.ratioToSsh2, value: ratio(ours, ssh2) },
    { text: ` ${unit}`, limit: target.atMost, value: ours },
  ].flatMap(({ text, limit, value }) => (limit === undefined ? [] : [{ text: `≤ ${limit}${text}`, limit, value }]));
  return [
    caseName,
    unit,
    ...[ours, ssh2, sshd, medianOf("sshd + command"), ratio(ours, sshd), ratio(ours, ssh2)].map(renderNumber),
    checks.map(({ text }) => text).join(", "),
    verdict(checks),
  ];
}

function verdict(checks: readonly { readonly limit: number; readonly value: number | undefined }[]): string {
  if (checks.length === 0) return "";
  if (checks.some(({ limit, value }) => value !== undefined && value > limit)) return "NO";
  return checks.some(({ value }) => value === undefined) ? "?" : "yes";
}

function ratio(ours: number | undefined, other: number | undefined): number | undefined {
  return ours === undefined || other === undefined ? undefined : ours / other;
}

function renderNumber(value: number | undefined): string {
  if (value === undefined) return none;
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}
