import type { Engine } from './engine/engine.ts';
import { createWebEngine, type WebEngineOptions } from './engine/web.ts';
import { LimbeckError } from './errors.ts';
import type { OnEvent } from './events.ts';
import { memoryFiles } from './platform/files.ts';
import { OpfsMirror } from './platform/opfs-mirror.ts';
import { join, normalize } from './platform/paths.ts';
import type { Recipe } from './recipe/schema.ts';
import type { RunResult } from './report/result.ts';
import { distill as distillInFolder } from './run/distill.ts';

/**
 * Limbeck in a page or a worker: the same run as in Node, on onnxruntime-web, with files in memory that the browser keeps.
 *
 * @example
 * import { distill } from 'limbeck/browser';
 *
 * const { result, student } = await distill(recipe, {
 *   files: { 'texts.csv': input.files[0], 'teacher/model.onnx': model, 'teacher/tokenizer.json': tokenizer },
 *   ort: () => import('onnxruntime-web/wasm'),
 *   onEvent: (event) => event.type === 'stage-end' && console.log(event.stage, event.summary),
 * });
 * console.log(result.studentInt8?.accuracy, student['onnx/model_quantized.onnx']);
 */
export { createWebEngine, type WebEngineOptions } from './engine/web.ts';
export { type ErrorCode, LimbeckError } from './errors.ts';
export type { OnEvent, RunEvent, StageName } from './events.ts';
export { type EarlyAnswers, EarlyExits, type EarlyExitsOptions } from './export/early-exits.ts';
export {
  type GeneratedText,
  type GenerateOptions,
  type TextGenerationOptions,
  TextGenerator,
  type TextGeneratorFiles,
  type TextPiece,
} from './generate/text-generator.ts';
export { checkRecipe, type ParseOptions, parseRecipe } from './recipe/parse.ts';
export { RecipeError, type RecipeProblem } from './recipe/problems.ts';
export { type Recipe, type RecipeInput, recipeJsonSchema } from './recipe/schema.ts';
export { stringifyRecipe } from './recipe/write.ts';
export type { Gate, Machine, ModelResult, RunResult, StageSeconds } from './report/result.ts';
export { type DecodeOptions, type DetectedBox, decodeBoxes } from './targets/decode-boxes.ts';
export { VERSION } from './version.ts';

/** A file that a recipe may name: what an `<input type="file">` gives, bytes, or a text. */
export type GivenFile = Blob | Uint8Array | string;

export interface BrowserOptions extends Pick<WebEngineOptions, 'ort' | 'provider' | 'threads'> {
  /** The files that the recipe names, by the paths that it has for them: data, and the teacher's model and tokenizer. */
  readonly files: Readonly<Record<string, GivenFile>>;
  /** What the run is kept by: one of the same name goes on where it was cut off. The recipe's name by default. */
  readonly name?: string;
  /**
   * Where the run is kept: in the origin's private file system (`opfs`, the default where the browser has it), so that a page
   * that is loaded again goes on, or in memory alone.
   */
  readonly storage?: 'opfs' | 'memory';
  /**
   * Seconds between the times at which the run waits until all that it wrote is kept; 1 by default. A page that is closed loses
   * what came later; a checkpoint is written as often as `training.checkpointEvery` says.
   */
  readonly keepEvery?: number;
  readonly onEvent?: OnEvent;
  /** Asks the run to stop: it keeps what it has computed and throws LimbeckError `run.interrupted`. */
  readonly signal?: AbortSignal;
  /** Whether the student is also trained on the labels alone; as the recipe says (`baseline`) by default. */
  readonly baseline?: boolean;
  /** For how long each model is timed, in seconds, for each of the two batch sizes; 0.5 by default. */
  readonly timingSeconds?: number;
}

export interface BrowserResult {
  readonly result: RunResult;
  /** The student in the layout of Hugging Face, by names: `config.json`, `onnx/model_quantized.onnx`, ... */
  readonly student: Readonly<Record<string, Uint8Array>>;
  /** The report, a page of its own. */
  readonly report: string;
}

/** Where things lie in memory. What is given lies apart from what is kept. */
const GIVEN = '/given';
const KEPT = '/limbeck';
/** The folder of the private file system that is `KEPT`. */
const DIRECTORY = 'limbeck';

/**
 * Distils in a page: CSV or JSONL, a teacher that is an ONNX file with its tokenizer, training and int8 on onnxruntime-web.
 * Everything takes place in the thread that calls it, which has turns between steps; a worker keeps a page quick.
 *
 * @throws LimbeckError as `distill` of the package's main entry; `run.locked` while another page of the origin is at work,
 * `run.storage` when the browser has no room to keep the run (what was kept stays).
 */
export async function distill(recipe: Recipe | string, options: BrowserOptions): Promise<BrowserResult> {
  // A part of its own: a page that gives a recipe that was read does not load it.
  const parsed =
    typeof recipe === 'string' ? (await import('./recipe/parse.ts')).parseRecipe(recipe) : recipe;
  const name = options.name ?? parsed.name;
  return alone(async () => {
    const files = memoryFiles();
    await giveFiles(options.files);
    const kept = await openKept(options);
    const out = `${KEPT}/runs/${folderName(name)}`;
    try {
      const result = await distillInFolder(parsed, {
        out,
        recipeFolder: GIVEN,
        storeFolder: `${KEPT}/store`,
        engine: pageEngine(options, kept),
        ...(options.onEvent && { onEvent: options.onEvent }),
        ...(options.signal && { signal: options.signal }),
        ...(options.baseline !== undefined && { baseline: options.baseline }),
        ...(options.timingSeconds !== undefined && { timingSeconds: options.timingSeconds }),
      });
      const student = Object.fromEntries(
        [...files.filesIn(`${out}/student`)].map(({ path, bytes }) => [
          path.slice(`${out}/student/`.length),
          bytes.slice(),
        ]),
      );
      const report = new TextDecoder().decode(files.readFileSync(`${out}/report.html`));
      return { result, student, report };
    } finally {
      files.rmSync(GIVEN, { recursive: true, force: true });
      await kept.close();
    }
  });
}

/** Deletes all that runs of this origin have kept: runs, prepared data, the teacher's answers. */
export async function forget(): Promise<void> {
  await alone(async () => {
    memoryFiles().rmSync(KEPT, { recursive: true, force: true });
    if (!hasOpfs()) return;
    const root = await navigator.storage.getDirectory();
    await root.removeEntry(DIRECTORY, { recursive: true }).catch((error: DOMException) => {
      if (error.name !== 'NotFoundError') throw error;
    });
  });
}

/** Pages of an origin share what is kept, and each holds it in memory: only one at a time may change it. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  // A page that is not served securely has no locks, and no private file system either.
  if (!navigator.locks) return work();
  return navigator.locks.request('limbeck', { ifAvailable: true }, async (lock) => {
    if (lock) return work();
    throw new LimbeckError('run.locked', 'another page, or another call in this one, is distilling', {
      remedy: 'Wait until it is done, or close it.',
    });
  }) as Promise<T>;
}

async function giveFiles(given: BrowserOptions['files']): Promise<void> {
  const files = memoryFiles();
  for (const [name, content] of Object.entries(given)) {
    const inside = normalize(name);
    if (inside.startsWith('..') || inside.startsWith('/')) {
      throw new LimbeckError('run.file-name', `the file name '${name}' leads out of the recipe's folder`, {
        remedy: 'Name files relative to the recipe, as it does.',
      });
    }
    const path = join(GIVEN, inside);
    files.mkdirSync(join(path, '..'), { recursive: true });
    const bytes = content instanceof Blob ? new Uint8Array(await content.arrayBuffer()) : content;
    files.writeFileSync(path, bytes);
  }
}

function hasOpfs(): boolean {
  return typeof navigator.storage?.getDirectory === 'function';
}

/** What keeps the files that a run writes. */
interface Keeper {
  /** Waits from time to time until what was written is kept: a training alone leaves the browser too few turns for it. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** Reads into memory what earlier calls kept, and keeps what this one writes. */
async function openKept({ storage, keepEvery = 1 }: BrowserOptions): Promise<Keeper> {
  const files = memoryFiles();
  if (storage === 'memory' || (storage === undefined && !hasOpfs())) {
    files.mkdirSync(KEPT, { recursive: true });
    return { settle: async () => {}, close: async () => {} };
  }
  files.rmSync(KEPT, { recursive: true, force: true });
  const root = await navigator.storage.getDirectory();
  let problem: unknown;
  const mirror = await OpfsMirror.open(files, {
    folder: KEPT,
    directory: await root.getDirectoryHandle(DIRECTORY, { create: true }),
    onProblem: (error) => {
      problem ??= error;
    },
  });
  let settled = performance.now();
  return {
    async settle() {
      if (performance.now() - settled < 1000 * keepEvery) return;
      await mirror.flush();
      settled = performance.now();
    },
    async close() {
      await mirror.close();
      files.rmSync(KEPT, { recursive: true, force: true });
      if (problem === undefined) return;
      throw new LimbeckError(
        'run.storage',
        `the browser does not keep the run: ${(problem as Error).message}`,
        {
          remedy: "Free some of the origin's storage (`forget`), or use storage: 'memory'.",
          cause: problem,
        },
      );
    },
  };
}

/** onnxruntime-web, for which models that lie in memory have paths as well. */
function pageEngine({ ort, provider, threads }: BrowserOptions, kept: Keeper): Engine {
  const engine = createWebEngine({ ort, ...(provider && { provider }), ...(threads && { threads }) });
  return {
    ...engine,
    async load(model, settings) {
      const files = memoryFiles();
      const isFile = typeof model === 'string' && files.existsSync(model);
      const session = await engine.load(isFile ? files.readFileSync(model) : model, {
        ...(isFile && { title: model }),
        ...settings,
      });
      return {
        ...session,
        async run(feeds, fetches) {
          const outputs = await session.run(feeds, fetches);
          await kept.settle();
          return outputs;
        },
      };
    },
  };
}

/** A name as a folder's. */
function folderName(name: string): string {
  return encodeURIComponent(name).replaceAll('.', '%2E');
}
