import * as spindlex from "../../../src/index.js";
import {
  key,
  logger,
  notChoice,
  notFlag,
  notFunction,
  nothing,
  notLogger,
  notNumber,
  notText,
  type OptionSubject,
} from "./values.js";

const fileOptions = {
  logger: notLogger,
  maxFileSize: [...notNumber, 0, 1.5],
  strictModes: notFlag,
};

const lineOptions = { ...fileOptions, owner: notFunction, permitUserEnvironment: notFlag };

const validFileOptions = { logger, maxFileSize: 1000, strictModes: true };

const validLineOptions = { ...validFileOptions, owner: nothing, permitUserEnvironment: false };

const source = {
  within: "source",
  valid: { file: "/nonexistent/%u" },
  wrong: { file: [5, true, {}, ""] },
  required: ["file"],
};

export const AUTHENTICATOR_SUBJECTS: readonly OptionSubject[] = [
  {
    name: "authorizedKeys",
    call: (options) => spindlex.authorizedKeys("", options),
    optional: true,
    valid: validLineOptions,
    wrong: lineOptions,
  },
  { name: "authorizedKeys", call: (options) => spindlex.authorizedKeys(options), shorthands: ["", nothing], ...source },
  {
    name: "trustedUserCAs",
    call: (options) => spindlex.trustedUserCAs([key], options),
    optional: true,
    valid: { ...validLineOptions, principals: nothing },
    wrong: { ...lineOptions, principals: ["ann", 5, ["ann"]] },
  },
  {
    name: "trustedUserCAs",
    call: (options) => spindlex.trustedUserCAs(options),
    shorthands: ["", nothing, []],
    ...source,
  },
  {
    name: "trustedUserCAs",
    call: (principals) => spindlex.trustedUserCAs([key], { principals }),
    shorthands: [nothing],
    optional: true,
    ...source,
    within: "principals",
  },
  {
    name: "passwordFile",
    call: (options) => spindlex.passwordFile(new Map(), options),
    optional: true,
    valid: validFileOptions,
    wrong: { ...fileOptions, example: [...notText, "secret"] },
  },
  {
    name: "passwordFile",
    call: (options) => spindlex.passwordFile(options),
    shorthands: ["", nothing],
    ...source,
  },
  {
    name: "revokedKeys",
    call: (options) => spindlex.revokedKeys("", options),
    optional: true,
    valid: validFileOptions,
    wrong: fileOptions,
  },
  { name: "revokedKeys", call: (options) => spindlex.revokedKeys(options), shorthands: ["", nothing], ...source },
  {
    name: "totp",
    call: (options) => spindlex.totp(new Map(), options),
    optional: true,
    valid: { ...validFileOptions, digits: 8, window: 2 },
    wrong: {
      ...fileOptions,
      algorithm: notChoice,
      digits: [...notNumber, 5, 6.5],
      period: [...notNumber, 14],
      window: [...notNumber, 3],
    },
  },
  { name: "totp", call: (options) => spindlex.totp(options), shorthands: ["", nothing], ...source },
  {
    name: "newTotpSecret",
    call: (options) => spindlex.newTotpSecret(options),
    optional: true,
    valid: { algorithm: "sha256" },
    wrong: { algorithm: notChoice },
  },
  {
    name: "otpauthUri",
    call: (options) => spindlex.otpauthUri(options),
    valid: { issuer: "example", username: "ann", secret: spindlex.newTotpSecret() },
    wrong: {
      issuer: [...notText, "", "a:b"],
      username: [...notText, "", "a:b"],
      secret: [...notText, "", "geheim!"],
      algorithm: notChoice,
      digits: notNumber,
      period: notNumber,
    },
    required: ["issuer", "username", "secret"],
  },
];
