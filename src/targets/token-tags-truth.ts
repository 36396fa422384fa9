import { BrokenValue } from '../data/broken-value.ts';
import { canonicalJson } from '../data/canonical-json.ts';
import { SEQUENCE } from '../data/columns.ts';
import type { GroundTruth, TruthContext, TruthReader, TruthRow } from '../data/ground-truth.ts';
import { orderClasses } from '../data/labels/class-order.ts';
import { shownValue } from '../data/labels/label-value.ts';
import type { Tokenizer } from '../data/modalities/text/tokenizer/tokenizer.ts';
import { fieldRemedy, keysInOutputs } from '../data/output-keys.ts';
import { LimbeckError } from '../errors.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { type CharacterSpan, NO_TAG as NONE, OUTSIDE, tagsOfSpans } from './span-tags.ts';
import { type TokenOffset, tokenOffsets } from './token-offsets.ts';

/** The kinds of spans; tags are `O` and, for each kind, `B-KIND` for a span's first token and `I-KIND` for the others. */
export interface TagSpace {
  readonly kinds: readonly string[];
}

/** Tags in the order of the outputs: `O`, `B-LOC`, `I-LOC`, ... */
export function tagNames({ kinds }: TagSpace): string[] {
  return ['O', ...kinds.flatMap((kind) => [`B-${kind}`, `I-${kind}`])];
}

const MOST_KINDS = 1000;

/**
 * A tag for each token: int32 [sequence], -1 where there is none. Rows have either spans of characters
 * (`[{ start, end, label }]`, UTF-16 units, the end not in it; with the span's own `text` also code points, as Python counts) or a BIO tag for each word, words being what spaces part
 * (`["B-PER", "O"]`); of a tagged word the first token counts.
 */
export function tokenTagsTruth(
  { labels }: { readonly labels?: readonly string[] | undefined },
  tokenizer: Tokenizer,
): GroundTruth<number[], TagSpace> {
  return {
    hash: canonicalJson({ tags: labels ?? 'any', tokenizer: tokenizer.hash, version: 2 }),
    marksMissing: true,
    begin: (context) => new TagReader(context, tokenizer, labels),
    columns: (_, name) => [{ name, type: 'int32', shape: [SEQUENCE], pad: NONE, role: 'target' }],
    write(value, columns, row, _, name) {
      const { data, dims } = columns[name] as Tensor;
      (data as Int32Array).set(value.slice(0, dims[1]), row * (dims[1] as number));
    },
  };
}

class TagReader implements TruthReader<number[], TagSpace> {
  readonly #context: TruthContext;
  readonly #tokenizer: Tokenizer;
  readonly #listed: readonly string[] | undefined;
  readonly #kinds: string[] = [];
  /** Spans that share characters with one before them. */
  #overlaps = 0;
  #firstOverlap: string | undefined;

  constructor(context: TruthContext, tokenizer: Tokenizer, listed: readonly string[] | undefined) {
    this.#context = context;
    this.#tokenizer = tokenizer;
    this.#listed = listed;
    this.#kinds.push(...(listed ?? []));
  }

  read(raw: unknown, row: TruthRow): number[] | undefined {
    const value = this.#listOf(raw);
    if (value === undefined) return undefined;
    const { text, ids } = this.#encodedText(row);
    const offsets = tokenOffsets(this.#tokenizer, text, ids);
    // A text without spans has an empty list.
    return value.length > 0 && value.every((one) => typeof one === 'string')
      ? this.#tagsOfWords(value, text, offsets)
      : this.#tagsOfSpans(
          value.map((one) => this.#spanOf(one, text)),
          offsets,
          row.where,
        );
  }

  #tagsOfSpans(spans: readonly CharacterSpan[], offsets: readonly TokenOffset[], where: string): number[] {
    const ordered = [...spans].sort((a, b) => a.start - b.start);
    let end = 0;
    for (const span of ordered) {
      if (span.start < end) {
        this.#overlaps++;
        this.#firstOverlap ??= where;
      }
      end = Math.max(end, span.end);
    }
    return tagsOfSpans(
      spans,
      spans.map(({ label }) => this.#kindNumber(label)),
      offsets,
    );
  }

  finish() {
    const { field, title, output, keys = keysInOutputs(output) } = this.#context;
    if (this.#kinds.length === 0) {
      throw new LimbeckError('data.one-class', `no row has a span in '${field}'`, {
        where: title,
        remedy: fieldRemedy(keys, 'spans ([{ start, end, label }]) or BIO tags'),
      });
    }
    const kinds = this.#listed ? [...this.#kinds] : orderClasses(this.#kinds);
    const placeOf = this.#kinds.map((kind) => kinds.indexOf(kind));
    const message = `${this.#overlaps} spans in '${field}' overlap others (the first: ${this.#firstOverlap}): a token has one tag, that of the span that is listed first`;
    return {
      space: { kinds },
      tally: {
        names: kinds,
        of: (tags: number[]) => tags.flatMap((tag) => (tag > OUTSIDE ? [(tag - 1) >> 1] : [])),
      },
      ...(this.#overlaps > 0 && { notes: [{ kind: 'labels' as const, message }] }),
      final: (tags: number[]) =>
        tags.map((tag) =>
          tag <= OUTSIDE ? tag : 1 + 2 * (placeOf[(tag - 1) >> 1] as number) + ((tag - 1) & 1),
        ),
    };
  }

  #listOf(raw: unknown): unknown[] | undefined {
    if (raw === undefined || raw === null || raw === '') return undefined;
    let value = raw;
    if (typeof raw === 'string') {
      try {
        value = JSON.parse(raw);
      } catch {
        value = raw.trim().split(/\s+/u);
      }
    }
    if (!Array.isArray(value))
      throw new BrokenValue('label', `'${this.#context.field}' is no list of spans or tags`);
    return value;
  }

  /** The row's text and its ids, cut as the input was. */
  #encodedText({ encoded }: TruthRow): { text: string; ids: number[] } {
    const input = Object.values(encoded).find((one) => one?.length !== undefined);
    const { shown, length } = input ?? {};
    if (shown === undefined) throw new BrokenValue('text', 'there is no text for the tags');
    const text = typeof shown === 'string' ? shown : new TextDecoder().decode(shown);
    return { text, ids: this.#tokenizer.encode(text, length) };
  }

  #tagsOfWords(tags: readonly string[], text: string, offsets: readonly TokenOffset[]): number[] {
    const words = [...text.matchAll(/\S+/gu)].map(
      ({ index, 0: word }) => [index, index + word.length] as const,
    );
    if (words.length !== tags.length) {
      const problem = `'${this.#context.field}' has ${tags.length} tags for ${words.length} words`;
      throw new BrokenValue('label', problem);
    }
    const numbers = tags.map((tag) => this.#tagNumber(tag));
    let [word, last] = [0, -1];
    return offsets.map((offset) => {
      if (!offset) return NONE;
      while (word < words.length - 1 && offset[0] >= words[word]![1]) word++;
      if (word === last) return NONE;
      last = word;
      return numbers[word] as number;
    });
  }

  #spanOf(value: unknown, text: string): CharacterSpan {
    const { start, end, label, entity, type } = (value ?? {}) as Record<string, unknown>;
    const name = label ?? entity ?? type;
    const isSpan =
      Number.isInteger(start) && Number.isInteger(end) && typeof name === 'string' && name !== '';
    if (!isSpan)
      throw new BrokenValue('label', `'${this.#context.field}' has a span without start, end and label`);
    const span = { start: start as number, end: end as number, label: name };
    const { field } = this.#context;
    if (span.start < 0 || span.end <= span.start || span.end > text.length) {
      const problem = `'${field}' has the span ${span.start} to ${span.end} in a text of ${text.length} characters`;
      throw new BrokenValue('label', problem);
    }
    const said = (value as Record<string, unknown>).text;
    const inUnits = text.slice(span.start, span.end);
    if (typeof said === 'string' && said !== inUnits) {
      const before = [...text].slice(0, span.start).join('').length;
      if (text.startsWith(said, before) && [...said].length === span.end - span.start)
        return { ...span, start: before, end: before + said.length };
      const problem = `'${field}' has the span ${span.start} to ${span.end}, which says ${shownValue(said)} where the text has ${shownValue(inUnits)}`;
      throw new BrokenValue('label', problem);
    }
    if (
      [span.start, span.end].some((at) => /^[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(at - 1, at + 1)))
    ) {
      const problem = `'${field}' has the span ${span.start} to ${span.end}, which divides a character: positions are UTF-16 units`;
      throw new BrokenValue('label', problem);
    }
    return span;
  }

  #tagNumber(tag: string): number {
    if (tag === 'O') return OUTSIDE;
    const [, prefix, kind] = /^([BI])-(.+)$/su.exec(tag) ?? [];
    if (!kind)
      throw new BrokenValue(
        'label',
        `'${this.#context.field}' has the tag '${tag.slice(0, 40)}', which is not O, B-KIND or I-KIND`,
      );
    return 1 + 2 * this.#kindNumber(kind) + (prefix === 'I' ? 1 : 0);
  }

  #kindNumber(kind: string): number {
    const known = this.#kinds.indexOf(kind);
    if (known >= 0) return known;
    if (this.#listed)
      throw new BrokenValue(
        'unknown-label',
        `'${kind}' in '${this.#context.field}' is not one of those listed`,
      );
    if (this.#kinds.length === MOST_KINDS) {
      const { field, title, output, keys = keysInOutputs(output) } = this.#context;
      throw new LimbeckError(
        'data.too-many-labels',
        `'${field}' has more than ${MOST_KINDS} kinds of spans`,
        {
          where: title,
          remedy: fieldRemedy(keys, 'the spans'),
        },
      );
    }
    return this.#kinds.push(kind) - 1;
  }
}
