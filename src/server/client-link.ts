import { loggedText } from "../base/logged-text.js";
import type { IgnoredMessage, MultiplexerLink } from "../connection/multiplexer-link.js";
import type { Endpoint } from "../endpoint/endpoint.js";
import type { ProtocolError } from "../protocol/errors.js";
import type { ConnectionNotes } from "./connection-notes.js";
import type { SessionClocks } from "./session-limits.js";

/** The way from the channels to a client that has logged in. */
export class ClientLink implements MultiplexerLink {
  readonly #endpoint: Endpoint;
  readonly #clocks: SessionClocks;
  readonly #notes: ConnectionNotes;

  constructor(endpoint: Endpoint, clocks: SessionClocks, notes: ConnectionNotes) {
    this.#endpoint = endpoint;
    this.#clocks = clocks;
    this.#notes = notes;
  }

  get writable(): boolean {
    return this.#endpoint.writable;
  }

  get acceptsRequests(): boolean {
    return this.#endpoint.acceptsRequests;
  }

  send(payload: Buffer): void {
    this.#endpoint.transport.send(payload);
  }

  sendData(head: Buffer, parts: readonly Uint8Array[]): void {
    this.#clocks.touch();
    this.#endpoint.sendData(head, parts);
  }

  hold(): () => void {
    return this.#endpoint.transport.hold();
  }

  failed(error: ProtocolError): void {
    this.#endpoint.fail(error);
  }

  hookFailed(what: string, error: unknown): void {
    this.#notes.hookFailed(what, error);
  }

  ignored(kind: IgnoredMessage): void {
    this.#notes.ignored.note(kind);
  }

  refused(what: string, reason: string): void {
    this.#notes.refused.note(reason, { request: loggedText(what) });
  }

  warned(channel: number, message: string, fields?: object): void {
    this.#notes.warnings.note(message, { channel, ...fields }, "warn");
  }
}
