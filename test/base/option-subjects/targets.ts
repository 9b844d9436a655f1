import { allowTargets } from "../../../src/index.js";
import { notChoice, type OptionSubject } from "./values.js";

export const TARGET_SUBJECTS: readonly OptionSubject[] = [
  {
    name: "allowTargets",
    call: (options) => allowTargets(options),
    valid: { targets: ["db.internal:5432"], addresses: "public" },
    wrong: {
      targets: [
        "db.internal:5432",
        5,
        true,
        [5],
        ["db.internal"],
        { ann: "db.internal:5432" },
        new Map([["ann", ["db"]]]),
      ],
      addresses: [...notChoice, undefined],
    },
    required: ["targets"],
  },
];
