import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

/** The source of each door of the package. */
export const DOORS: Readonly<Record<string, string>> = {
  spindlex: join(ROOT, "src/index.ts"),
  "spindlex/crypto": join(ROOT, "src/crypto/index.ts"),
  "spindlex/sftp": join(ROOT, "src/sftp/index.ts"),
  "spindlex/authenticators": join(ROOT, "src/authenticators/index.ts"),
  "spindlex/protocol/constants": join(ROOT, "src/protocol/constants.ts"),
};

/** A program on a page, or a part of one: TypeScript, or JavaScript in CommonJS. */
export interface Block {
  readonly language: "ts" | "cjs";
  /** Where its code starts. */
  readonly line: number;
  readonly code: string;
}

/** @param page its path from the root */
export function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/^```(ts|cjs)\n(.*?)^```$/gms)].map((match) => ({
    language: match[1] === "cjs" ? "cjs" : "ts",
    line: text.slice(0, match.index).split("\n").length + 1,
    code: match[2] ?? "",
  }));
}

/**
 * The same program, but with its files in a folder, any free port of 127.0.0.1, the sources in the place of the package,
 * and exports for the values that a test looks at.
 */
export function runnable(code: string, folder: string): string {
  const names = [...code.matchAll(/^(?:const|class|(?:async )?function) (\w+)/gm)].map(([, name]) => name);
  const program = inFolder(code, folder).replaceAll(
    / from "(spindlex[^"]*)"/g,
    (_, door: string) => ` from ${JSON.stringify(DOORS[door])}`,
  );
  return `${program}
export { ${names.join(", ")} };
`;
}

/** The same program, but with its files in a folder, and any free port of 127.0.0.1. */
export function inFolder(code: string, folder: string): string {
  const manager = 'new SSHServerManager({ bindAddress: "127.0.0.1", port: 0,';
  return code
    .replaceAll(/(["`])\/(?=(?:srv|etc|run)\/)/g, (_, quote: string) => `${quote}${folder}/`)
    .replaceAll("listen(2222)", "listen(0)")
    .replaceAll(/^ *bindAddress: .*\n/gm, "")
    .replaceAll(/(?<=[ ,])port: 22(22)?\b,?/g, "")
    .replaceAll("new SSHServerManager({", manager);
}
