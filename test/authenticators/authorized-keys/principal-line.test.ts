import { describe, expect, it } from "vitest";
import { parsePrincipalLine } from "../../../src/authenticators/authorized-keys/principal-line.js";

const parse = (content: string) => parsePrincipalLine({ line: 1, content });

describe("parsePrincipalLine", () => {
  it.each(["web", "web # comment", "web#comment", "web\t#", 'web #"', 'pty web # "x', "pty\t \tweb"])(
    "reads %j",
    (text) => {
      expect(parse(text)).toMatchObject({ principal: "web", options: { permissions: { pty: true } } });
    },
  );

  it("reads options", () => {
    const { options } = parse('restrict,command="a # \\"b" web');
    expect(options.permissions).toMatchObject({ pty: false, forceCommand: 'a # "b' });
  });

  it.each([
    ["pty pty web", "the line is not a principal, alone or behind options"],
    ["web web", "the option web is unknown"],
    ["cert-authority web", "the option cert-authority is not for principals"],
    ['principals="web" web', "principals are for keys of certificate authorities"],
    ["w\ufffdb", "the principal is not UTF-8"],
    ['command="a web', "a quote is not closed"],
    ['command="a # web', "a quote is not closed"],
  ])("refuses %j", (text, reason) => {
    expect(() => parse(text)).toThrow(reason);
  });
});
