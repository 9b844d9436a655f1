import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../src/protocol/errors.js";
import {
  decodePublicKeyFields,
  encodePublicKeyFields,
  encodePublicKeyOk,
  encodeSignedRequest,
} from "../../../src/protocol/messages/userauth-public-key.js";
import { Reader } from "../../../src/protocol/reader.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

const query = { algorithm: "a", keyBlob: hex("62"), hostKeyBlob: undefined, signature: undefined };
const signed = { ...query, signature: hex("63") };
const hostBound = { ...signed, hostKeyBlob: hex("68") };

describe("method publickey", () => {
  it("has algorithm and key, with a signature or without", () => {
    expect(encodePublicKeyFields(query)).toEqual(hex("00 00000001 61 00000001 62"));
    expect(encodePublicKeyFields(signed)).toEqual(hex("01 00000001 61 00000001 62 00000001 63"));
  });

  it("has the host key in the host-bound form, and only there", () => {
    expect(encodePublicKeyFields(hostBound)).toEqual(hex("01 00000001 61 00000001 62 00000001 68 00000001 63"));
    const read = (bytes: Buffer, form: "plain" | "host-bound") => () => decodePublicKeyFields(new Reader(bytes), form);
    expect(read(encodePublicKeyFields(hostBound), "plain")).toThrow(ProtocolError);
    expect(read(encodePublicKeyFields(signed), "host-bound")).toThrow(ProtocolError);
  });

  it("signs its request together with the session (RFC 4252 §7)", () => {
    const head = { username: "u", service: "s", method: "m" };
    const request = "00000002 aabb 32 00000001 75 00000001 73 00000001 6d 01 00000001 61 00000001 62";
    // What is to be signed says that it is.
    expect(encodeSignedRequest(hex("aabb"), head, query)).toEqual(hex(request));
    expect(encodeSignedRequest(hex("aabb"), head, signed)).toEqual(hex(request));
    expect(encodeSignedRequest(hex("aabb"), head, hostBound)).toEqual(hex(`${request} 00000001 68`));
  });

  it("answers a query", () => {
    expect(encodePublicKeyOk("a", hex("00ff"))).toEqual(hex("3c 00000001 61 00000002 00ff"));
  });
});
