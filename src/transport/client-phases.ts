import { MessageNumber as M } from "../protocol/constants.js";
import { dispositions, keyExchangeMessages, type PhaseTable, range, transportMessages } from "./phases.js";

/** The messages that a server may send to a client. */
export const clientPhases: PhaseTable = {
  "initial-key-exchange": dispositions([...transportMessages, ...keyExchangeMessages], "unimplemented"),
  "strict-initial-key-exchange": dispositions([M.DISCONNECT, ...keyExchangeMessages], "forbidden"),
  service: dispositions([...transportMessages, M.KEXINIT, M.EXT_INFO, M.SERVICE_ACCEPT, M.PING], "unimplemented"),
  authentication: dispositions(
    [
      ...transportMessages,
      M.KEXINIT,
      // Right before USERAUTH_SUCCESS (RFC 8308 §2.4), or where `ext-info-in-auth@openssh.com` was announced.
      M.EXT_INFO,
      M.PING,
      ...range(M.USERAUTH_FAILURE, M.USERAUTH_BANNER),
      M.USERAUTH_INFO_REQUEST,
    ],
    "unimplemented",
  ),
  running: dispositions(
    [
      ...transportMessages,
      M.KEXINIT,
      M.PING,
      ...range(M.GLOBAL_REQUEST, M.REQUEST_FAILURE),
      ...range(M.CHANNEL_OPEN, M.CHANNEL_FAILURE),
    ],
    "unimplemented",
    // It answers nothing: this client sends no PING.
    new Map([[M.PONG, "ignored"]]),
  ),
  rekeying: dispositions([...transportMessages, M.NEWKEYS, ...range(M.KEX_FIRST, M.KEX_LAST)], "unimplemented"),
  "rekeying-unauthenticated": dispositions(
    [...transportMessages, M.NEWKEYS, ...range(M.KEX_FIRST, M.KEX_LAST)],
    "unimplemented",
  ),
};
