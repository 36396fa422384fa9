import { readFileSync } from 'node:fs';
import { type ParseArgsConfig, parseArgs } from 'node:util';

/**
 * What a script of this folder, `bench/` or `proof/` is called with, as `parseArgs` reads it; without options it takes none.
 * `--help` prints the comment that says what the script does. Options that it does not know, and numbers that are none, end it with that
 * comment and exit code 2.
 *
 * @param script the script's `import.meta.url`
 */
export function scriptArguments<T extends ParseArgsConfig>(
  script: string,
  config: T = {} as T,
): ReturnType<typeof parseArgs<T>> {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    console.log(beginningOf(script));
    process.exit(0);
  }
  try {
    const found = parseArgs(config);
    for (const [name, { default: usual }] of Object.entries(config.options ?? {}))
      requireNumber(name, usual, (found.values as Record<string, unknown>)[name]);
    return found;
  } catch (error) {
    return endWith(script, (error as Error).message);
  }
}

/** Says what was wrong with a script's arguments, and how it is called; exit code 2. */
export function endWith(script: string, problem: string): never {
  console.error(`error: ${problem}\n\n${beginningOf(script)}`);
  process.exit(2);
}

/** What is a number by default is one whenever it is given. */
function requireNumber(name: string, usual: unknown, given: unknown): void {
  if (!isNumber(usual) || isNumber(given)) return;
  throw new Error(`--${name} takes a number, not '${given}'`);
}

function isNumber(value: unknown): boolean {
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value);
}

/** The comment of a script that says how it is called, without its marks. */
function beginningOf(script: string): string {
  const comments = readFileSync(new URL(script), 'utf8').match(/^\/\*\*\n[\s\S]*?\*\/|^(\/\/.*\n)+/gm) ?? [];
  const comment = comments.find((one) => /npx tsx|npm run/.test(one)) ?? comments[0] ?? '';
  return comment.replaceAll(/^(\/\*\*\n| \*\/| \* ?|\/\/ ?)/gm, '').trim();
}
