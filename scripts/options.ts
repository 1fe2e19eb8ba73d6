/** Options of the programs for those who work on Holdfast. What is not understood ends the program, and it says what would be. */
import { parseArgs, type ParseArgsConfig } from "node:util";

const EXIT_REFUSED = 2;

/** As `parseArgs`, and `--help`. `usage` says how the program is called. */
export function readOptions<Config extends ParseArgsConfig>(usage: string, config: Config): ReturnType<typeof parseArgs<Config>> {
  if (process.argv.includes("--help")) {
    console.log(usage);
    process.exit();
  }
  try {
    return parseArgs(config);
  } catch (error) {
    refuse(`${(error as Error).message}\n${usage}`);
  }
}

/** The value of an option that counts things. */
export function wholeNumber(option: string, value: string, atLeast = 1): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  return number >= atLeast ? number : refuse(`--${option} is a whole number from ${atLeast} on, not "${value}".`);
}

/** The value of an option that is an amount of something, and not nothing. */
export function amount(option: string, value: string): number {
  const number = Number(value);
  return Number.isFinite(number) && number > 0 ? number : refuse(`--${option} is a number above 0, not "${value}".`);
}

/** The value of an option that names one of `all`. */
export function oneOf<Name extends string>(option: string, value: string, all: readonly Name[]): Name {
  return all.find((name) => name === value) ?? refuse(`--${option} knows no "${value}", but ${all.join(", ")}.`);
}

/** Likewise, or several of them with commas between. */
export function someOf<Name extends string>(option: string, value: string, all: readonly Name[]): Name[] {
  return value.split(",").map((name) => oneOf(option, name, all));
}

export function refuse(line: string): never {
  console.error(line);
  process.exit(EXIT_REFUSED);
}
