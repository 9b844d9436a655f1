import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import * as messages from "../../../support/packet-messages.js";
import { encodeFields } from "../../../support/sftp-packets.js";
import { cut, message, NO, NOT_UTF8, TWO, withTail, YES } from "./bytes.js";
import type { OddInput } from "./odd-input.js";
import { loggedIn } from "./sending.js";

const wanted = (name: string, body?: Buffer): Buffer => messages.globalRequest(name, "want-reply", body);
const PROVE = "hostkeys-prove-00@openssh.com";

export const globalRequestInputs: readonly OddInput[] = [
  loggedIn("an unknown global request", wanted("x@spindlex")),
  loggedIn("an unknown global request that wants no reply", messages.globalRequest("x@spindlex", "no-reply")),
  loggedIn("an unknown global request with bytes behind it", wanted("x@spindlex", NOT_UTF8)),
  loggedIn("a global request without a name", wanted("")),
  loggedIn("a global request whose name is not UTF-8", message(M.GLOBAL_REQUEST, NOT_UTF8, YES)),
  loggedIn("a global request whose name is not UTF-8, wanting no reply", message(M.GLOBAL_REQUEST, NOT_UTF8, NO)),
  loggedIn("a global request with a name of 30,000 characters", wanted("x".repeat(30_000))),
  loggedIn("a global request with a boolean of 2", message(M.GLOBAL_REQUEST, "x@spindlex", TWO)),
  loggedIn("a global request cut short", cut(wanted("x@spindlex"))),
  loggedIn("a global request of its number alone", message(M.GLOBAL_REQUEST)),
  loggedIn("keepalive with bytes behind it", wanted("keepalive@openssh.com", NOT_UTF8)),
  loggedIn("tcpip-forward without its fields", wanted("tcpip-forward")),
  loggedIn("tcpip-forward with a host that is not UTF-8", wanted("tcpip-forward", encodeFields(NOT_UTF8, 0))),
  loggedIn("tcpip-forward to port 70,000", wanted("tcpip-forward", encodeFields("127.0.0.1", 70_000))),
  loggedIn("cancel-tcpip-forward of what is not forwarded", wanted("cancel-tcpip-forward", encodeFields("x", 1))),
  loggedIn("cancel-tcpip-forward without its fields", wanted("cancel-tcpip-forward")),
  loggedIn("streamlocal-forward without its fields", wanted("streamlocal-forward@openssh.com")),
  loggedIn("hostkeys-00 from the client", wanted("hostkeys-00@openssh.com", encodeFields("x"))),
  loggedIn("hostkeys-prove of no keys", wanted(PROVE)),
  loggedIn("hostkeys-prove of what is no key", wanted(PROVE, encodeFields(NOT_UTF8))),
  loggedIn("hostkeys-prove cut short", wanted(PROVE, Buffer.of(0, 0, 0, 9, 1))),
  {
    name: "hostkeys-prove of a key of somebody else's",
    stage: "logged-in",
    send: (peer) => peer.send(wanted(PROVE, encodeFields(peer.server.key.publicBlob))),
  },
  {
    name: "hostkeys-prove of the host key and then of what is no key",
    stage: "logged-in",
    send: (peer) => peer.send(wanted(PROVE, encodeFields(peer.client.hostKeyBlob, NOT_UTF8))),
  },
  loggedIn(
    "no-more-sessions with bytes behind it",
    withTail(messages.globalRequest("no-more-sessions@openssh.com", "no-reply")),
  ),
  loggedIn("no-more-sessions that wants a reply", wanted("no-more-sessions@openssh.com")),
  loggedIn(
    "a session after no-more-sessions",
    messages.globalRequest("no-more-sessions@openssh.com", "no-reply"),
    messages.channelOpen(),
  ),
  loggedIn("REQUEST_SUCCESS that answers nothing", message(M.REQUEST_SUCCESS)),
  loggedIn("REQUEST_SUCCESS with bytes behind it that answers nothing", message(M.REQUEST_SUCCESS, 4711)),
  loggedIn("REQUEST_FAILURE that answers nothing", message(M.REQUEST_FAILURE)),
  loggedIn("REQUEST_FAILURE that answers nothing, ten times", ...Array(10).fill(message(M.REQUEST_FAILURE))),
];
