import { describe, expect, it } from "vitest";
import * as constants from "../../src/protocol/constants.js";

describe("constants", () => {
  it("has the values that server hooks return, all different and none true", () => {
    const { AUTH_SUCCESSFUL, AUTH_PARTIAL, AUTH_FAILED } = constants;
    expect([AUTH_SUCCESSFUL, AUTH_PARTIAL, AUTH_FAILED]).toEqual([0, 1, 2]);
  });

  it("has the CHANNEL_OPEN_FAILURE reasons of RFC 4254 §5.1", () => {
    expect([
      constants.OPEN_SUCCEEDED,
      constants.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
      constants.OPEN_FAILED_CONNECT_FAILED,
      constants.OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
      constants.OPEN_FAILED_RESOURCE_SHORTAGE,
    ]).toEqual([0, 1, 2, 3, 4]);
  });

  it("numbers the DISCONNECT reasons of RFC 4253 §11.1 from 1 to 15", () => {
    expect(Object.values(constants.DisconnectReason)).toEqual(Array.from({ length: 15 }, (_, index) => index + 1));
  });

  it("accepts packets of the size that RFC 4253 §6.1 demands", () => {
    expect(constants.MAX_PACKET_LENGTH).toBeGreaterThanOrEqual(35_000);
  });
});
