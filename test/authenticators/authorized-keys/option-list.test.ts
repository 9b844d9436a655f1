import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOfField, parseOptionList } from "../../../src/authenticators/authorized-keys/option-list.js";

/** What quotes can hold: with a backslash at its end, or before a quote, there is no way to write it. */
const value = fc.string({ unit: fc.constantFrom(...'ab\\" \t,=#-é') }).filter((text) => !/\\("|$)/.test(text));
const option = fc.record({
  name: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,8}$/),
  value: fc.option(value, { nil: undefined }),
});

function written(options: readonly { readonly name: string; readonly value: string | undefined }[]): string {
  return options
    .map(({ name, value }) => (value === undefined ? name : `${name}="${value.replaceAll('"', '\\"')}"`))
    .join(",");
}

describe("endOfField and parseOptionList", () => {
  it("read back what was written, with whatever in quotes", () => {
    fc.assert(
      fc.property(fc.array(option, { minLength: 1 }), fc.constantFrom(" ", "\t"), (options, space) => {
        const text = written(options);
        expect(endOfField(`${text}${space}ssh-ed25519 "AAAA"`)).toBe(text.length);
        expect(endOfField(text)).toBe(text.length);
        expect(parseOptionList(text)).toEqual(options);
      }),
    );
  });

  it("find an open quote", () => {
    for (const text of ['a="b', 'a="b\\"', '"', 'a="b" "c']) {
      if (text.startsWith('a="b" ')) expect(endOfField(text)).toBe(5);
      else expect(() => endOfField(text)).toThrow("a quote is not closed");
    }
  });

  it("take time in proportion to the text", () => {
    const [quotes, backslashes] = ['"'.repeat(32_768), `a="${"\\".repeat(32_768)}`];
    const start = performance.now();
    for (const text of [quotes, backslashes, `a="${'\\"'.repeat(16_000)}`, ",".repeat(32_768)]) {
      try {
        parseOptionList(text);
      } catch {
        // Most are malformed: it is the time that counts.
      }
    }
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
