import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJSON } from "../../../src/cli/serve/json-text.js";

describe("a text in JSON", () => {
  it.each([
    ["", "line 1, column 1: the text ends in the middle"],
    ['{"a": [1, 2]', "line 1, column 13: the text ends in the middle"],
    ['{\n  "a": 1,\n  # b\n}', "line 3, column 3: JSON has no comments"],
    ['{\n  /* b */ "a": 1}', "line 2, column 3: JSON has no comments"],
    ['{"a": [1, 2,\n]}', "line 2, column 1: JSON has no comma in front of ]"],
    ['{"a": 1,}', "line 1, column 9: JSON has no comma in front of }"],
    ['{"a": 1 "b": 2}', 'line 1, column 9: JSON has no "\\"" here'],
    ['{"a": "b\nc"}', "line 1, column 7: a text that JSON does not have"],
    ['{"a": "\\x"}', "line 1, column 7: a text that JSON does not have"],
    ["{'a': 1}", 'line 1, column 2: JSON has no "\'" here'],
    ['{"a": 01}', 'line 1, column 7: JSON has no "0" here'],
    ['{"a": 1} 5', 'line 1, column 10: JSON has no "5" here'],
  ])("that has a fault is refused with its place: %j", (text, message) => {
    expect(() => parseJSON(text)).toThrow(new Error(message));
  });

  it("is read as Node.js reads it, and where it is not, the place is the first that is wrong", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"\\u00e9"',
      "1",
      "-0.5e3",
      "null",
      " ",
      "\n",
      "x",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (words) => {
        const text = words.join("");
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(() => parseJSON(text)).toThrow(/^line \d+, column \d+: /);
          return;
        }
        expect(parseJSON(text)).toEqual(expected);
      }),
    );
    fc.assert(
      fc.property(fc.json(), fc.nat(), (json, at) => {
        const place = at % json.length;
        // A character that is nowhere in JSON but in texts, which end where a line does.
        const broken = `${json.slice(0, place)}\n\u0001${json.slice(place)}`;
        expect(() => parseJSON(broken)).toThrow();
        expect(parseJSON(`\ufeff${json}`)).toEqual(JSON.parse(json));
      }),
    );
  });
});
