import { ALL_PERMISSIONS } from "../../src/auth/permissions.js";
import { setLoggerOf } from "../../src/base/connection-logger.js";
import { silentLogger } from "../../src/base/logger.js";
import type { Connection } from "../../src/session/connection.js";

/** A connection of which channels only need that it is one. Its log is silent. */
export function fakeConnection(known: Partial<Connection> = {}): Connection {
  const { signal } = new AbortController();
  const connection: Connection = {
    id: 1,
    worker: undefined,
    remoteAddress: undefined,
    remotePort: undefined,
    localAddress: undefined,
    localPort: undefined,
    connectedAt: new Date(0),
    clientVersion: "SSH-2.0-test",
    algorithms: undefined,
    identity: undefined,
    username: undefined,
    permissions: ALL_PERMISSIONS,
    provenMethods: [],
    bytesReceived: 0,
    bytesSent: 0,
    channelCount: 0,
    signal,
    openChannel: () => Promise.reject(new Error("not here")),
    sendGlobalRequest: () => Promise.reject(new Error("not here")),
    disconnect: () => {},
    rekey: () => {},
    refuse: () => {},
    reportInvalidUser: () => {},
    ...known,
  };
  setLoggerOf(connection, silentLogger);
  return connection;
}
