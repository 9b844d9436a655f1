import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../src/protocol/errors.js";
import { decodeTerminalModes } from "../../src/protocol/terminal-modes.js";
import { bytesArbitrary } from "./fields.js";

function mode(opcode: number, value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = opcode;
  bytes.writeUInt32BE(value, 1);
  return bytes;
}

const END = Buffer.of(0);

describe("decodeTerminalModes", () => {
  it("reads modes up to the end mark", () => {
    const bytes = Buffer.concat([mode(1, 3), mode(53, 1), mode(42, 0), mode(128, 38_400), mode(129, 9600), END]);
    expect(decodeTerminalModes(bytes)).toEqual(
      new Map([
        ["VINTR", 3],
        ["ECHO", 1],
        ["IUTF8", 0],
        ["TTY_OP_ISPEED", 38_400],
        ["TTY_OP_OSPEED", 9600],
      ]),
    );
  });

  it("knows every mnemonic of RFC 4254 §8 at its number", () => {
    const blocks: readonly (readonly [number, string])[] = [
      [1, "VINTR VQUIT VERASE VKILL VEOF VEOL VEOL2 VSTART VSTOP VSUSP VDSUSP VREPRINT VWERASE VLNEXT VFLUSH VSWTCH"],
      [17, "VSTATUS VDISCARD"],
      [30, "IGNPAR PARMRK INPCK ISTRIP INLCR IGNCR ICRNL IUCLC IXON IXANY IXOFF IMAXBEL IUTF8"],
      [50, "ISIG ICANON XCASE ECHO ECHOE ECHOK ECHONL NOFLSH TOSTOP IEXTEN ECHOCTL ECHOKE PENDIN"],
      [70, "OPOST OLCUC ONLCR OCRNL ONOCR ONLRET"],
      [90, "CS7 CS8 PARENB PARODD"],
      [128, "TTY_OP_ISPEED TTY_OP_OSPEED"],
    ];
    const expected = blocks.flatMap(([first, names]) =>
      names.split(" ").map((name, index) => ({ name, opcode: first + index })),
    );
    const everyOpcode = Array.from({ length: 159 }, (_, index) => mode(index + 1, index + 1));
    expect(decodeTerminalModes(Buffer.concat(everyOpcode))).toEqual(
      new Map(expected.map(({ name, opcode }) => [name, opcode])),
    );
  });

  it("takes bytes without an end mark, and none at all", () => {
    expect(decodeTerminalModes(mode(53, 1))).toEqual(new Map([["ECHO", 1]]));
    expect(decodeTerminalModes(Buffer.alloc(0))).toEqual(new Map());
  });

  it("stops at opcodes whose length is not known", () => {
    expect(decodeTerminalModes(Buffer.concat([mode(53, 1), Buffer.of(160, 1)]))).toEqual(new Map([["ECHO", 1]]));
    expect(decodeTerminalModes(Buffer.of(255))).toEqual(new Map());
  });

  it("keeps the last of two values", () => {
    expect(decodeTerminalModes(Buffer.concat([mode(53, 1), mode(53, 0)]))).toEqual(new Map([["ECHO", 0]]));
  });

  it("refuses a mode that is cut short", () => {
    for (let length = 1; length < 5; length++) {
      expect(() => decodeTerminalModes(mode(53, 1).subarray(0, length))).toThrow(ProtocolError);
    }
  });

  it("throws nothing but ProtocolError, whatever the bytes", () => {
    fc.assert(
      fc.property(bytesArbitrary, (bytes) => {
        try {
          expect(decodeTerminalModes(bytes).size).toBeLessThanOrEqual(60);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});
