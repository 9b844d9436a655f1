import type { BoundAddress, Place } from "../server/listeners/listen-address.js";
import { type Check, fields, integer, MalformedMessageError, optional, text } from "./calls/message-checks.js";

/** Addresses to listen on, and those that are listened on, as they come from another process. */

const MAX_TEXT = 4096;

const short = text(MAX_TEXT);
const port = integer(0, 65_535);

const descriptor: Check<{ readonly fd: number; readonly name?: string }> = (value) => {
  const { fd, name } = fields({ fd: integer(0, 2 ** 31 - 1), name: optional(short) })(value);
  return name === undefined ? { fd } : { fd, name };
};

const PLACES: { readonly [Kind in Place["kind"]]: Check<Omit<Extract<Place, { readonly kind: Kind }>, "kind">> } = {
  port: fields({ host: short, port, names: fields({ host: short, port: short }) }),
  socket: fields({ path: short, mode: integer(0, 0o777), option: short }),
  descriptor: (value) => ({ ...fields({ option: short })(value), ...descriptor(value) }),
};

export const place: Check<Place> = (value) => {
  const kind = typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
  if (typeof kind !== "string" || !Object.hasOwn(PLACES, kind)) throw new MalformedMessageError("no place");
  return { kind, ...PLACES[kind as Place["kind"]](value) } as Place;
};

export const boundAddress: Check<BoundAddress> = (value) => {
  if (typeof value !== "object" || value === null) throw new MalformedMessageError("no address");
  if ("path" in value) return fields({ path: short })(value);
  if ("fd" in value) return descriptor(value);
  return fields({ address: short, port })(value);
};

/** Names a place; the same place has the same name in each process. */
export function nameOf(given: Place): string {
  switch (given.kind) {
    case "port":
      return `${given.host}:${given.port}`;
    case "socket":
      return `path ${given.path}`;
    case "descriptor":
      return `fd ${given.fd}`;
  }
}
