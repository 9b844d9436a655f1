import { describe, expect, it } from "vitest";
import {
  decodeServiceAccept,
  decodeServiceRequest,
  encodeServiceAccept,
  encodeServiceRequest,
} from "../../../src/protocol/messages/service.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("SSH_MSG_SERVICE_REQUEST and ACCEPT", () => {
  it("hold the service name", () => {
    expect(encodeServiceRequest("ssh!")).toEqual(hex("05 00000004 73736821"));
    expect(encodeServiceAccept("ssh!")).toEqual(hex("06 00000004 73736821"));
    expect(decodeServiceRequest(hex("05 00000004 73736821"))).toBe("ssh!");
    expect(decodeServiceAccept(hex("06 00000004 73736821"))).toBe("ssh!");
  });
});
