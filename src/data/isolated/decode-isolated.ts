import type { ChildProcess } from 'node:child_process';
import { LimbeckError } from '../../errors.ts';
import { totalBytes } from '../../platform/machine.ts';
import { nodeModule, packageFile } from '../../platform/node-modules.ts';
import { DECODERS_AT_ONCE } from './decoder-turns.ts';
import { type Limits, MOST_OF_MEMORY, SECONDS_TO_BEGIN } from './limits.ts';
import { type Answer, errorTold } from './messages.ts';

export interface IsolatedDecoding<Input> {
  /** The module that decodes (see `DecoderModule`), beside whoever asks: `new URL('./x-decoder.js', import.meta.url)`. */
  readonly decoder: URL;
  /** What its `decode` gets: anything that structured clone takes. */
  readonly input: Input;
  readonly limits: Limits;
  /** The file, for errors. */
  readonly file: string;
  readonly signal?: AbortSignal | undefined;
  /** What the decoder does, for errors; `decoding it` when absent. */
  readonly work?: string;
  /** The error for a problem; `data.unreadable` when absent. */
  readonly failed?: (problem: string) => Error;
}

/**
 * Decodes a file that is not trusted in a process of its own, and gives its pieces as they come. Whatever happens there (memory
 * without end, a loop without end, an abort inside the engine) ends that process and nothing else; it is killed when the caller
 * stops listening.
 *
 * @throws LimbeckError what the decoder throws, `data.unreadable` for its other errors and for its death; the signal's reason
 */
export async function* decodeIsolated<Input, Piece>(options: IsolatedDecoding<Input>): AsyncGenerator<Piece> {
  const { decoder, input, limits, file, signal, work = 'decoding it' } = options;
  signal?.throwIfAborted();
  if (!nodeModule('node:child_process')) {
    throw new LimbeckError('data.needs-node', 'files of this kind are not read in a browser yet', {
      where: file,
      remedy: 'Give the data as CSV or JSONL.',
    });
  }
  const child = takeChild();
  const answers = new Answers<Piece>(child);
  const unreadable = options.failed ?? ((problem: string) => unreadableFile(file, problem));
  const stop = () => child.kill('SIGKILL');
  let isIdle = false;
  signal?.addEventListener('abort', stop);
  try {
    child.send({ decoder: decoder.href, input, memoryBytes: limits.memoryBytes }, ignoreFailure);
    let seconds = SECONDS_TO_BEGIN;
    for (;;) {
      const answer = await answers.next(seconds);
      signal?.throwIfAborted();
      if (answer === 'silent') throw unreadable(`${work} took longer than ${Math.round(seconds)} seconds`);
      if ('death' in answer) throw unreadable(deathOf(answer.death, limits, work));
      seconds = limits.seconds;
      if ('begun' in answer) continue;
      if ('piece' in answer) {
        child.send('taken', ignoreFailure);
        yield answer.piece;
        continue;
      }
      isIdle = true;
      if ('error' in answer) throw errorTold(answer.error, unreadable);
      return;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    answers.close();
    if (isIdle) keepChild(child);
    else stop();
  }
}

/** Its death is told by the events of the process. */
const ignoreFailure = () => {};

/** Processes that have nothing to do, for the next files: to start one costs more than to read a small file. */
const idle: { child: ChildProcess; end: NodeJS.Timeout }[] = [];
const IDLE_MS = 2000;

function takeChild(): ChildProcess {
  for (let kept = idle.pop(); kept; kept = idle.pop()) {
    clearTimeout(kept.end);
    if (kept.child.connected) return kept.child;
  }
  return startChild();
}

function keepChild(child: ChildProcess): void {
  if (idle.length === DECODERS_AT_ONCE || !child.connected) {
    child.kill('SIGKILL');
    return;
  }
  const kept = {
    child,
    end: setTimeout(() => {
      idle.splice(idle.indexOf(kept), 1);
      child.kill('SIGKILL');
    }, IDLE_MS).unref(),
  };
  idle.push(kept);
}

/** The address of a decoder's module: sources are TypeScript, what is built from them is JavaScript. */
export function decoderBeside(importer: string, name: string): URL {
  return new URL(`./${name}${importer.endsWith('.ts') ? '.ts' : '.js'}`, importer);
}

function startChild(): ChildProcess {
  const url = nodeModule('node:url');
  const processes = nodeModule('node:child_process');
  if (!url || !processes) throw new Error('a page has no processes');
  const module = decoderBeside(import.meta.url, 'child');
  // Its guard ends it earlier, where less is allowed.
  const heap = `--max-old-space-size=${Math.ceil((MOST_OF_MEMORY * totalBytes()) / 2 ** 20)}`;
  const child = processes.fork(url.fileURLToPath(module), [], {
    // The loader of TypeScript only where Limbeck itself is developed and tested.
    execArgv: module.href.endsWith('.ts')
      ? [heap, '--import', url.pathToFileURL(packageFile('tsx', import.meta.url)).href]
      : [heap],
    serialization: 'advanced',
    // What a dying engine prints is not for the person.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // A caller that is gone shall not keep this process alive; one that waits does so by its timer.
  child.unref();
  child.channel?.unref();
  return child;
}

interface Death {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly problem?: string;
}

/** What a child answers, one at a time; its death is the last answer. */
class Answers<Piece> {
  readonly #arrived: (Answer<Piece> | { death: Death })[] = [];
  #wake: (() => void) | undefined;

  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (answer) => this.#add(answer as Answer<Piece>));
    child.on('error', ({ message }) => this.#add({ death: { code: null, signal: null, problem: message } }));
    child.on('close', (code, signal) => this.#add({ death: { code, signal } }));
  }

  close(): void {
    for (const event of ['message', 'error', 'close']) this.#child.removeAllListeners(event);
    this.#child.on('error', ignoreFailure);
  }

  async next(seconds: number): Promise<Answer<Piece> | { death: Death } | 'silent'> {
    if (this.#arrived.length === 0) await this.#wait(seconds);
    // A process that was busy itself finds its timer before the answers that came meanwhile.
    if (this.#arrived.length === 0) await this.#wait(0.05);
    return this.#arrived.shift() ?? 'silent';
  }

  #wait(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #add(answer: Answer<Piece> | { death: Death }): void {
    this.#arrived.push(answer);
    this.#wake?.();
  }
}

function deathOf({ code, signal, problem }: Death, { memoryBytes }: Limits, work: string): string {
  if (problem !== undefined) return `no process could be started for ${work}: ${problem}`;
  // SIGKILL comes from its guard (or from the system, when memory is short), SIGABRT and others from the engine.
  if (signal === 'SIGKILL') return `${work} needs more than ${Math.round(memoryBytes / 1e6)} MB of memory`;
  return `${work} ended the process that did it (${signal ?? `exit code ${code}`})`;
}

function unreadableFile(where: string, problem: string): LimbeckError {
  return new LimbeckError('data.unreadable', `the file cannot be decoded: ${problem}`, {
    where,
    remedy: 'Check where the file is from, or write it again: it is damaged, or made to do harm.',
  });
}
