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
  return alignColumns([header, ...renderRows(cases, results)]);
}

/** The same without what is promised, for a page; nothing where none of the cases was measured. */
export function renderComparison(cases: readonly BenchCase[], results: Results): string | undefined {
  const rows = renderRows(cases, results);
  if (rows.length === 0) return undefined;
  return alignColumns([header, ...rows].map((cells) => cells.slice(0, header.indexOf("target"))));
}

/** Single figures of a run; nothing unless all of them were measured. */
export function renderSummary(
  figures: readonly { readonly label: string; readonly caseName: string; readonly unit: Unit }[],
  results: Results,
): string | undefined {
  const rows = figures.flatMap(({ label, caseName, unit }) => {
    const series = results.of(caseName).find((one) => one.unit === unit);
    return series === undefined ? [] : [[label, ...renderRow(series, {}).slice(2, 5)]];
  });
  if (rows.length < figures.length) return undefined;
  return alignColumns([["", ...header.slice(2, 5)], ...rows]);
}

function renderRows(cases: readonly BenchCase[], results: Results): string[][] {
  return cases.flatMap(({ name, targets }) =>
    results.of(name).map((series) => renderRow(series, targets[series.unit] ?? {})),
  );
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
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}
