import type { BenchCase, Target } from "./cases.js";
import { type ColumnName, median, type Results, type Series } from "./results.js";

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
  const rows = cases.flatMap(({ name, targets }) =>
    results.of(name).map((series) => renderRow(series, targets[series.unit] ?? {})),
  );
  return alignColumns([header, ...rows]);
}

function renderRow({ caseName, unit, samples }: Series, target: Target): string[] {
  const medianOf = (name: ColumnName) => {
    const values = samples.get(name);
    return values === undefined ? undefined : median(values);
  };
  const ours = medianOf("spindlex");
  const ssh2 = medianOf("ssh2");
  const sshd = medianOf("sshd");
  const sshdAndCommand = medianOf("sshd + command");
  const toSshd = ratio(ours, sshdAndCommand ?? sshd);
  const moreIsBetter = unit === "MB/s";
  const checks = [
    { text: "× sshd", limit: target.ratioToSshd, value: toSshd },
    { text: "× ssh2", limit: target.ratioToSsh2, value: ratio(ours, ssh2) },
    { text: ` ${unit}`, limit: target.value, value: ours },
  ].flatMap(({ text, limit, value }) => {
    if (limit === undefined) return [];
    const met = value === undefined ? undefined : moreIsBetter ? value >= limit : value <= limit;
    return [{ text: `${moreIsBetter ? "≥" : "≤"} ${limit}${text}`, met }];
  });
  return [
    caseName,
    unit,
    ...[ours, ssh2, sshd, sshdAndCommand, toSshd, ratio(ours, ssh2)].map(renderNumber),
    checks.map(({ text }) => text).join(", "),
    verdict(checks),
  ];
}

function verdict(checks: readonly { readonly met: boolean | undefined }[]): string {
  if (checks.length === 0) return "";
  if (checks.some(({ met }) => met === false)) return "NO";
  return checks.some(({ met }) => met === undefined) ? "?" : "yes";
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
