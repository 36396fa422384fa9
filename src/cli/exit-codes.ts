import { type ErrorCode, LimbeckError } from '../errors.ts';

/** How a command ended, for scripts. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** The command line or the recipe is wrong, or names what is not there; nothing was started. */
  usage: 2,
  /** The run is complete, but its student exceeds what the recipe allows: a smaller file lost too much, or a runtime takes too long. */
  gate: 3,
  /** A hosted teacher's budget is used up; the same command goes on with a larger one. */
  budget: 4,
  /** Ctrl+C, SIGTERM, or the reader of the output went away. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `Exit codes:
  0    done
  1    failed; what was computed is kept, the same command goes on
  2    the command line or the recipe is wrong, or names data or a model that is not there
  3    the student exceeds a bound of the recipe: what a smaller file may lose (maxDrop of export.int8, q4, fp16), or what it may take in the
       runtimes that will run it (export.gate)
  4    the budget for the teacher is used up (teacher.budget); with a larger one the same command goes on
  130  interrupted; the same command goes on`;

/** Data, models and runs that were named and are not there, or not as they were told: as wrong as a key that does not exist. */
const NOT_THERE = new Set<ErrorCode>([
  'data.duplicate-column',
  'data.missing',
  'data.missing-column',
  'data.no-files',
  'data.not-found',
  'data.options',
  'data.wrong-delimiter',
  'data.wrong-encoding',
  'data.wrong-format',
  'generate.model',
  'generate.options',
  'generate.prompt',
  'generate.too-long',
  'measure.no-runtime',
  'measure.threads',
  'model.not-found',
  'teacher.key',
  'teacher.length',
  'teacher.model',
  'tokenizer.missing',
  'run.not-a-run',
]);

/** The exit code that an error ends a command with. */
export function exitCodeOf(error: unknown): ExitCode {
  if (isInterruption(error)) return EXIT.interrupted;
  if (!(error instanceof LimbeckError)) return EXIT.failed;
  if (error.code === 'export.int8-drop') return EXIT.gate;
  if (error.code === 'teacher.budget') return EXIT.budget;
  const isUsage = /^(recipe|cli|compile)\./.test(error.code) || NOT_THERE.has(error.code);
  return isUsage ? EXIT.usage : EXIT.failed;
}

/** Whether an error says that a person stopped the run. */
export function isInterruption(error: unknown): boolean {
  if (error instanceof LimbeckError) return error.code === 'run.interrupted';
  return error instanceof Error && error.name === 'AbortError';
}
