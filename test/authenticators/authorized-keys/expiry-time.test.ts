import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExpiryTime } from "../../../src/authenticators/authorized-keys/expiry-time.js";
import { builtFile } from "../../support/build.js";

const MODULE = builtFile("src/authenticators/authorized-keys/expiry-time.ts");

function inZone(zone: string, text: string): number {
  const script = `import { parseExpiryTime } from ${JSON.stringify(MODULE)}; console.log(parseExpiryTime("${text}"));`;
  const words = ["--input-type=module", "-e", script];
  return Number(execFileSync(process.execPath, words, { encoding: "utf8", env: { ...process.env, TZ: zone } }));
}

describe("parseExpiryTime", () => {
  it("reads every second of UTC that there is", () => {
    const date = fc.date({ min: new Date(1000), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true });
    fc.assert(
      fc.property(date, (time) => {
        const text = time.toISOString().replaceAll(/[-:T]|\.\d+Z/g, "");
        const seconds = Math.floor(time.getTime() / 1000);
        expect(parseExpiryTime(`${text}Z`)).toBe(seconds);
        expect(parseExpiryTime(`${text}utc`)).toBe(seconds);
      }),
    );
  });

  it("reads times without a zone as those of the machine", () => {
    expect(inZone("UTC", "20300701120000")).toBe(Date.UTC(2030, 6, 1, 12) / 1000);
    expect(inZone("Asia/Tokyo", "203007011200")).toBe(Date.UTC(2030, 6, 1, 3) / 1000);
    expect(inZone("Asia/Tokyo", "20300701Z")).toBe(Date.UTC(2030, 6, 1) / 1000);
  });

  it("takes nothing that is not a time", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0129Zz -:+") }), (text) => {
        if (/^\d{8}(\d{4}(\d{2})?)?z?$/i.test(text)) return;
        expect(() => parseExpiryTime(text)).toThrow("the expiry time is invalid");
      }),
    );
  });
});
