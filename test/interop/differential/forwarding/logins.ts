import { extent } from "../../../support/extent.js";
import { CREDENTIALS, CREDENTIALS_OF_PRINCIPALS, type Credential } from "./credentials.js";
import { ALL_FORMS, type ForwardingRequest, sampleOfRequests } from "./requests.js";
import { SETTINGS, SETTINGS_OF_PRINCIPALS, type Settings } from "./settings.js";

/** A login at one of the servers, and what is asked there. */
export interface Login {
  readonly settings: Settings;
  readonly credential: Credential;
  readonly requests: readonly ForwardingRequest[];
}

/** Of each kind at each login. */
const REQUESTS = extent(2, 4);

/** Each credential meets some of the settings, and more of them in the long run. */
const MET = CREDENTIALS.flatMap((credential, row) =>
  SETTINGS.filter((_, column) => (row + column) % extent(9, 4) === 0).map((settings) => ({ settings, credential })),
);

/** By a key that may do anything, with each of GatewayPorts. */
const FREE = SETTINGS.filter(({ title }) => title.startsWith("GatewayPorts")).flatMap((settings) =>
  CREDENTIALS.slice(0, 1).map((credential) => ({ settings, credential, requests: ALL_FORMS })),
);

export const LOGINS: readonly Login[] = [
  ...FREE,
  ...[...MET, ...CREDENTIALS_OF_PRINCIPALS.map((credential) => ({ settings: SETTINGS_OF_PRINCIPALS, credential }))].map(
    (login, index) => ({ ...login, requests: sampleOfRequests(index, REQUESTS) }),
  ),
];
