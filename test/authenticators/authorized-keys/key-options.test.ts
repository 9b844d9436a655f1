import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type KeyOptions, parseKeyOptions } from "../../../src/authenticators/authorized-keys/key-options.js";
import { codePoint } from "../../support/code-point.js";
import { OPTION_CASES } from "../../support/option-cases.js";
import { processorTime } from "../../support/processor-time.js";
import { describeOptions } from "./describe-options.js";

const lines = OPTION_CASES.filter(({ options }) => !/[ \t]/.test(options.replaceAll(/"(\\"|[^"])*"/g, "")));
const usable = lines.filter(({ expected }) => expected !== "refused");

describe("parseKeyOptions", () => {
  it.each(usable.filter(({ expected }) => expected !== "not now"))("reads $options", ({ options, expected }) => {
    expect(describeOptions(parseKeyOptions(options))).toBe(expected);
  });

  it.each(lines.filter(({ expected }) => expected === "refused"))("refuses $options", ({ options }) => {
    expect(() => parseKeyOptions(options)).toThrow(Error);
  });

  it("knows authorities and their principals", () => {
    expect(parseKeyOptions("cert-authority")).toMatchObject({ role: "authority", principals: undefined });
    expect(parseKeyOptions('principals="a,b,,c",Cert-Authority').principals).toEqual(["a", "b", "c"]);
    expect(parseKeyOptions('cert-authority,principals=""').principals).toEqual([]);
    expect(() => parseKeyOptions('cert-authority,principals="a",principals="a"')).toThrow(/principals is given twice/);
  });

  it("never tells what may be a secret", () => {
    for (const text of [
      "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ",
      'token="hunter2"',
      'command="hunter2",x"hunter2"',
    ]) {
      expect(() => parseKeyOptions(text)).toThrow(/^(?!.*(hunter2|b3Bl)).*$/);
    }
    expect(() => parseKeyOptions("no-terminals")).toThrow("the option no-terminals is unknown");
    expect(() => parseKeyOptions("no-agent-forwardin")).toThrow("the option no-agent-forwardin is unknown");
    expect(() => parseKeyOptions("command")).toThrow("the option command needs a value in quotes");
  });

  it("reads back any value that was quoted", () => {
    // A backslash at the end would quote the closing quote: there is no way to write that, in sshd either.
    const value = fc.string({ unit: codePoint }).filter((text) => !/\\$|\\"/.test(text));
    fc.assert(
      fc.property(value, value, (command, variable) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '\\"')}"`;
        const options = parseKeyOptions(`environment=${quoted(`A=${variable}`)},command=${quoted(command)},no-pty`);
        expect(options.permissions.forceCommand).toBe(command);
        expect(options.permissions.environment).toEqual({ A: variable });
        expect(options.permissions.pty).toBe(false);
      }),
    );
  });

  it("takes the first value of each variable, and thousands of variables without keeping others waiting", () => {
    const { environment } = parseKeyOptions('environment="A=1",environment="B=2",environment="A=3"').permissions;
    expect(environment).toEqual({ A: "1", B: "2" });
    const many = Array.from({ length: 1800 }, (_, index) => `environment="A${index}=1"`).join(",");
    expect(Object.keys(parseKeyOptions(many).permissions.environment)).toHaveLength(1800);
    // A tenth of it is enough; copying all for each took twice as much.
    expect(processorTime(() => parseKeyOptions(many))).toBeLessThan(200);
  });

  it("takes no list with anything in it that is unknown or malformed, wherever it stands", () => {
    const good = fc.constantFrom(...usable.map(({ options }) => options).filter((text) => !/command|from/i.test(text)));
    const bad = fc.oneof(
      fc.constantFrom(...lines.filter(({ expected }) => expected === "refused").map(({ options }) => options)),
      fc.stringMatching(/^[a-z0-9-]{1,12}$/).map((name) => `zz-${name}`),
    );
    fc.assert(
      fc.property(fc.array(good, { maxLength: 4 }), bad, fc.array(good, { maxLength: 4 }), (before, wrong, after) => {
        expect(() => parseKeyOptions([...before, wrong, ...after].join(","))).toThrow(Error);
      }),
      { numRuns: 500 },
    );
  });

  it("never gives more than the flags that stand behind the last restrict", () => {
    const flags = ["pty", "port-forwarding", "agent-forwarding", "x11-forwarding", "user-rc"] as const;
    const option = fc.constantFrom("restrict", ...flags, ...flags.map((flag) => `no-${flag}`));
    fc.assert(
      fc.property(fc.array(option, { maxLength: 12 }), (options) => {
        const allowed = flags.filter((flag) => {
          const last = options.findLast((name) => name === "restrict" || name.replace("no-", "") === flag);
          return last === undefined || last === flag;
        });
        expect(flagsOf(parseKeyOptions(options.join(",")))).toEqual(allowed);
      }),
    );
  });

  it("throws nothing but errors of one line at any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: codePoint, maxLength: 200 }), (text) => {
        try {
          parseKeyOptions(text);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error instanceof Error && error.message).toMatch(/^[^\n]+$/);
        }
      }),
    );
  });
});

function flagsOf({ permissions }: KeyOptions): string[] {
  return [
    ...(permissions.pty ? ["pty"] : []),
    ...(permissions.portForwarding ? ["port-forwarding"] : []),
    ...(permissions.agentForwarding ? ["agent-forwarding"] : []),
    ...(permissions.x11Forwarding ? ["x11-forwarding"] : []),
    ...(permissions.userRc ? ["user-rc"] : []),
  ];
}
