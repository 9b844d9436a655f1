import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../src/base/configuration-error.js";
import { DisconnectReason } from "../../src/protocol/constants.js";
import { ProtocolError } from "../../src/protocol/errors.js";

describe("ProtocolError", () => {
  it("carries the reason for SSH_MSG_DISCONNECT: a protocol error unless told otherwise", () => {
    expect(new ProtocolError("text")).toMatchObject({ message: "text", reason: DisconnectReason.PROTOCOL_ERROR });
    expect(new ProtocolError("text", DisconnectReason.MAC_ERROR).reason).toBe(DisconnectReason.MAC_ERROR);
  });

  it("is an error with a name and a cause", () => {
    const cause = new Error("cause");
    const error = new ProtocolError("text", undefined, { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error.cause).toBe(cause);
    expect(String(error)).toBe("ProtocolError: text");
  });
});

describe("ConfigurationError", () => {
  it("names the option, also in its message", () => {
    const cause = new Error("cause");
    const error = new ConfigurationError("port", "must be an integer", { cause });
    expect(error).toMatchObject({ option: "port", message: "port: must be an integer", cause });
    expect(String(error)).toBe("ConfigurationError: port: must be an integer");
  });
});
