import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs, TOOLS } from "../../../support/clients.js";
import { compiled } from "../../../support/compiled.js";
import { extent, isLong } from "../../../support/extent.js";
import { runOk } from "../../../support/tools.js";

/** Of each; all do thousands of steps at least. */
const SECONDS = extent(0, 600);
const SEED = isLong ? Date.now() % 1_000_000 : 1;
const TIME = { timeout: (SECONDS + 60) * 1000 };

const native = (name: string) => join(import.meta.dirname, "../../../../native", name);
const HEADERS = ["entries.h", "openssl.h", "protection.h"].map(native);
const FLAGS = ["-std=c11", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-w"];

describe("the addon with the sanitizers of addresses and of undefined behaviour", needs("gcc", "openssl"), () => {
  const driver = [join(import.meta.dirname, "protection-driver.c"), native("protection.c"), native("openssl.c")];
  // The library that programs of this machine have, by the name that needs no headers.
  const libraries = ["-Wl,--no-as-needed", "-l:libcrypto.so.3", "-ldl"];

  if (isLong) {
    it("stands what libFuzzer finds", { ...TIME, ...needs("clang") }, async () => {
      const folder = await compiled({
        tool: "clang",
        sources: [...driver, ...HEADERS],
        compiler: TOOLS.clang,
        parameters: (made) => [
          ...FLAGS,
          ...["-fsanitize=fuzzer", "-DGUIDED", ...driver, "-o", join(made, "fuzzer"), ...libraries],
        ],
      });
      const limits = [`-max_total_time=${SECONDS}`, "-max_len=200", `-artifact_prefix=${folder}/`];
      await runOk(join(folder, "fuzzer"), limits, TIME);
    });
  }

  it(`seals and opens packets of every kind, from seed ${SEED}`, TIME, async () => {
    const folder = await compiled({
      tool: "gcc",
      sources: [...driver, ...HEADERS],
      compiler: TOOLS.gcc,
      parameters: (made) => [...FLAGS, ...driver, "-o", join(made, "driver"), ...libraries],
    });
    const packets = await runOk(join(folder, "driver"), [String(SEED), String(SECONDS)], TIME);
    expect(Number(packets)).toBeGreaterThanOrEqual(3000);
  });

  it(`bears calls of every kind, from seed ${SEED}`, TIME, async () => {
    const sources = ["addon.c", "entries.c", "protection.c", "openssl.c"].map(native);
    const headers = join(import.meta.dirname, "../../../../node_modules/node-api-headers/include");
    const folder = await compiled({
      tool: "gcc",
      sources: [...sources, ...HEADERS],
      compiler: TOOLS.gcc,
      parameters: (made) => [
        ...FLAGS,
        ...["-shared", "-fPIC", "-isystem", headers, ...sources, "-o", join(made, "addon.node"), "-ldl"],
      ],
    });
    const sanitizers = await Promise.all(
      ["libasan.so", "libubsan.so"].map(async (name) => (await runOk(TOOLS.gcc, [`-print-file-name=${name}`])).trim()),
    );
    const parameters = [join(import.meta.dirname, "random-calls.mjs"), join(folder, "addon.node"), SEED, SECONDS];
    // Node.js itself gives back nothing at its end.
    const environment = { LD_PRELOAD: sanitizers.join(" "), ASAN_OPTIONS: "detect_leaks=0" };
    const calls = await runOk(process.execPath, parameters.map(String), { ...TIME, environment });
    expect(Number(calls)).toBeGreaterThanOrEqual(10_000);
  });
});
