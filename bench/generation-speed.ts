import * as ort from 'onnxruntime-node';
import { ortSession } from '../src/engine/ort-session.ts';
import { sessionOver } from '../src/engine/session.ts';
import { generateTokens } from '../src/generate/generate-tokens.ts';
import type { GenerationOptions } from '../src/generate/generation-options.ts';
import { sessionDecoder } from '../src/generate/session-decoder.ts';

/** Texts that are written: prompts of so many tokens, and how many follow. */
export interface WritingTask {
  readonly rows: number;
  readonly prompt: number;
  readonly tokens: number;
  readonly threads: number;
}

/** What writing took. Processor time hardly depends on what else the machine does. */
export interface Writing {
  readonly milliseconds: number;
  readonly processorMilliseconds: number;
  /** The tokens of the first text. */
  readonly ids: readonly number[];
}

/** Something that writes a task's texts. */
export interface Writer {
  readonly title: string;
  write(): Promise<Writing>;
}

function promptsOf({ rows, prompt }: WritingTask): number[][] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: prompt }, (_, i) => (7 * row + 3 * i) % 50),
  );
}

/** A loaded model. All that write with it share its weights, so that none has them nearer in the processor's cache. */
export async function loadWriters(
  model: Uint8Array,
  task: WritingTask,
): Promise<{
  bare(title: string): Writer;
  ours(title: string, options?: GenerationOptions): Writer;
  release(): Promise<void>;
}> {
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: task.threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  const decoder = sessionDecoder(sessionOver(ortSession(ort, session, { writesInPlace: true }), 'the model'));
  return {
    bare: (title) => ({ title, write: () => bareLoop(session, task) }),
    ours: (title, options) => ({
      title,
      async write() {
        const ids: number[] = [];
        const begun = start();
        const settings = { maxNewTokens: task.tokens, ...options };
        for await (const { row, id } of generateTokens(decoder, promptsOf(task), settings))
          if (row === 0) ids.push(id);
        return { ...timesSince(begun), ids };
      },
    }),
    release: () => session.release(),
  };
}

/**
 * What cannot be left out: runs of the model, with the tensors that it gave before, a mask, and the place of the largest logit.
 * For texts of the same length; nothing is checked.
 */
async function bareLoop(session: ort.InferenceSession, task: WritingTask): Promise<Writing> {
  const { rows, prompt, tokens } = task;
  const pasts = session.inputMetadata.flatMap((input) =>
    input.isTensor && input.name.startsWith('past') ? [input] : [],
  );
  const begun = start();
  const ids: number[] = [];
  let feeds: Record<string, ort.Tensor> = {
    input_ids: new ort.Tensor('int64', BigInt64Array.from(promptsOf(task).flat(), BigInt), [rows, prompt]),
    attention_mask: new ort.Tensor('int64', new BigInt64Array(rows * prompt).fill(1n), [rows, prompt]),
  };
  for (const { name, shape } of pasts) {
    const dims = [rows, shape[1] as number, 0, shape[3] as number];
    feeds[name] = new ort.Tensor('float32', new Float32Array(0), dims);
  }
  for (let made = 1; ; made++) {
    const out = await session.run(feeds);
    const logits = out.logits as ort.Tensor;
    const [, count, vocabulary] = logits.dims as [number, number, number];
    const values = logits.data as Float32Array;
    const next = new BigInt64Array(rows);
    for (let row = 0; row < rows; row++) {
      const from = ((row + 1) * count - 1) * vocabulary;
      let best = 0;
      for (let i = 1; i < vocabulary; i++)
        if ((values[from + i] as number) > (values[from + best] as number)) best = i;
      next[row] = BigInt(best);
    }
    ids.push(Number(next[0]));
    if (made === tokens) return { ...timesSince(begun), ids };
    const length = prompt + made;
    feeds = {
      input_ids: new ort.Tensor('int64', next, [rows, 1]),
      attention_mask: new ort.Tensor('int64', new BigInt64Array(rows * length).fill(1n), [rows, length]),
    };
    for (const { name } of pasts) feeds[name] = out[name.replace('past_key_values', 'present')] as ort.Tensor;
  }
}

interface Start {
  readonly at: number;
  readonly usage: NodeJS.CpuUsage;
}

function start(): Start {
  return { at: performance.now(), usage: process.cpuUsage() };
}

function timesSince({ at, usage }: Start): Omit<Writing, 'ids'> {
  const { user, system } = process.cpuUsage(usage);
  return { milliseconds: performance.now() - at, processorMilliseconds: (user + system) / 1000 };
}
