import { WrittenSplit, type WrittenText } from '../../data/added/written-split.ts';
import { canonicalJson } from '../../data/canonical-json.ts';
import { SEQUENCE } from '../../data/columns.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import { LimbeckError } from '../../errors.ts';
import { type TextStatistics, TextSummary } from '../../generate/repetition.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { joinBytes } from '../../platform/bytes.ts';
import type { WrittenOptions } from '../../recipe/written.ts';
import type { Head } from '../../targets/head.ts';
import { teacherHash } from '../../teachers/onnx-teacher.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { ChosenTexts, type WantedText } from './chosen-texts.ts';
import { endIdsOf, openWriter, writeTexts, writingFile } from './writer.ts';

/** Texts that are written at once, and kept together. */
export const WRITTEN_AT_ONCE = 64;

/** Texts that a teacher wrote. */
export interface Written {
  readonly split: WrittenSplit;
  /** Texts that were not in the store. */
  readonly fresh: number;
  readonly statistics: WrittenStatistics;
}

/** What was written, beside what the documents have in its place. */
export interface WrittenStatistics {
  readonly written: TextStatistics;
  readonly documents: TextStatistics;
  /** Of what was written: the share of texts that came to an end, and of those that had nothing before it. */
  readonly ended: number;
  readonly empty: number;
}

/**
 * Lets the teacher write texts from the beginnings of training documents on, and keeps them in the store: one that was killed goes
 * on and ends with the same texts. Batches are the same whatever is there already, for a model's answers differ in their last
 * digits by what stands beside a text.
 *
 * @throws LimbeckError `data.no-beginnings` where no document is long enough, `teacher.writes-nothing`, those of `writeTexts`
 */
export async function writtenByTeacher(
  run: RunContext,
  data: TaskData,
  options: WrittenOptions,
): Promise<Written> {
  const {
    recipe,
    options: { signal },
  } = run;
  const { dataset, task } = data;
  const tokenizer = task.tokenizer as Tokenizer;
  const { labels } = data.heads[0] as Head;
  const { train } = dataset.splits;
  const chosen = new ChosenTexts(train, { labels, ...options, seed: recipe.seed });
  if (chosen.size === 0) throw withoutBeginnings(options.promptTokens);
  const { alone: _, ...how } = options;
  const { maxLength } = recipe.data;
  const space = await run.store.space({
    title: data.teacherTitle,
    teacher: teacherHash(writingFile(data)),
    tap: 'written texts',
    preprocessing: `${task.preprocessing}, texts written as ${canonicalJson({ ...how, seed: recipe.seed, maxLength, data: dataset.contentHash })}`,
    dims: [SEQUENCE],
    encoding: 'float32',
  });
  const fresh = await writeMissing();
  const summary = new Summary(endIdsOf(tokenizer));
  const lengths = new Uint16Array(chosen.size);
  for (const places of inBatches(chosen.size)) {
    for (const [i, text] of readTexts(chosen, space, places).entries()) {
      lengths[places[i] as number] = text.ids.length;
      summary.add(text);
    }
  }
  const statistics = summary.value();
  if (statistics.empty === 1) throw writesNothing(data.teacherTitle);
  const split = new WrittenSplit(train, {
    lengths,
    labels,
    paddedLeft: tokenizer.frame.paddingSide === 'left',
    read: (places) => readTexts(chosen, space, places),
    decode: (ids) => tokenizer.decode(ids),
  });
  return { split, fresh, statistics };

  /** Writes the batches that lack a text. */
  async function writeMissing(): Promise<number> {
    const lacking = [...inBatches(chosen.size)].filter(
      (places) => space.missing(keysOf(chosen.read(places))).length > 0,
    );
    if (lacking.length === 0) return 0;
    const total = lacking.reduce((sum, { length }) => sum + length, 0);
    const writer = await openWriter(run, data);
    let [done, tokens] = [0, 0];
    try {
      for (const places of lacking) {
        run.checkInterrupted();
        const wanted = chosen.read(places);
        const written = await writeTexts(writer.decoder, wanted, {
          ...options,
          maxLength,
          endIds: endIdsOf(tokenizer),
          signal,
          titleOf: (row) =>
            `the text after '${tokenizer.decode((wanted[row] as WantedText).ids.slice(0, (wanted[row] as WantedText).length))}'`,
        });
        await space.put(
          keysOf(wanted),
          written.map((ids) => ({ length: ids.length, values: Float32Array.from(ids) })),
        );
        done += places.length;
        tokens += written.reduce((sum, { length }) => sum + length, 0);
        run.emit({
          type: 'progress',
          stage: 'write',
          task: 'writing',
          done,
          total,
          unit: 'texts',
          note: `${(tokens / done).toFixed(0)} tokens a text`,
        });
      }
    } finally {
      await writer.release();
    }
    return total;
  }
}

/** The texts with these places, as their documents begin and as the teacher went on. */
function readTexts(
  chosen: ChosenTexts,
  space: LabelSpace,
  places: readonly number[],
): (WrittenText & { readonly document: readonly number[] })[] {
  const wanted = chosen.read(places);
  const answers = space.sized(keysOf(wanted));
  return wanted.map(({ ids, length }, i) => ({
    ids: [...ids.slice(0, length), ...(answers[i]?.values ?? [])],
    promptLength: length,
    document: ids,
  }));
}

/** What texts come to, and the documents that they begin as. */
class Summary {
  readonly #written = new TextSummary();
  readonly #documents = new TextSummary();
  readonly #endIds: readonly number[];
  #ended = 0;
  #empty = 0;

  constructor(endIds: readonly number[]) {
    this.#endIds = endIds;
  }

  add({ ids, promptLength, document }: WrittenText & { readonly document: readonly number[] }): void {
    const own = Array.from(ids).slice(promptLength);
    const isEnd = this.#endIds.includes(own.at(-1) as number);
    if (isEnd) this.#ended++;
    if (isEnd && own.length === 1) this.#empty++;
    this.#written.add(own);
    this.#documents.add(document.slice(promptLength));
  }

  value(): WrittenStatistics {
    const written = this.#written.value();
    const { texts } = written;
    return {
      written,
      documents: this.#documents.value(),
      ended: this.#ended / texts,
      empty: this.#empty / texts,
    };
  }
}

function* inBatches(size: number): Generator<number[]> {
  for (let from = 0; from < size; from += WRITTEN_AT_ONCE)
    yield Array.from({ length: Math.min(WRITTEN_AT_ONCE, size - from) }, (_, i) => from + i);
}

function keysOf(texts: readonly WantedText[]): Uint8Array {
  return joinBytes(texts.map(({ textKey }) => textKey));
}

function withoutBeginnings(promptTokens: number): LimbeckError {
  return new LimbeckError('data.no-beginnings', `no training document has more than ${promptTokens} tokens`, {
    where: 'data.written.promptTokens',
    remedy: 'Set it to fewer tokens.',
  });
}

function writesNothing(title: string): LimbeckError {
  return new LimbeckError('teacher.writes-nothing', `${title} ends every text at once`, {
    where: 'data.written',
    remedy:
      "Look whether its tokens that end texts are those of its tokenizer: with others it was not trained to go on from a document's beginning.",
  });
}
