import { hexOf } from '../../platform/bytes.ts';
import { createSha256, sha256Of } from '../../platform/hash.ts';
import { SAMPLE_KEY_BYTES } from '../batch.ts';
import { BrokenValue } from '../broken-value.ts';
import { canonicalJson } from '../canonical-json.ts';
import { rawText } from '../modalities/text/raw-text.ts';
import type { Tokenizer } from '../modalities/text/tokenizer/tokenizer.ts';
import type { DataSource, Sample, SourceRow } from '../sample.ts';
import { documentPieces } from './document-pieces.ts';

/** Changes when the same documents would become other pieces. */
const FORMAT = 1;

export interface CorpusOptions {
  /** The column with the documents. */
  readonly field: string;
  readonly tokenizer: Tokenizer;
  /** Of a piece, in tokens. */
  readonly maxLength: number;
}

/**
 * A source of documents as one of their pieces (`documentPieces`): no text is cut off. The pieces of a document are never in
 * different splits.
 */
export function corpusSource(source: DataSource, options: CorpusOptions): DataSource {
  const { tokenizer, maxLength, field } = options;
  return {
    title: source.title,
    async fingerprint() {
      const pieces = { format: FORMAT, tokenizer: tokenizer.hash, maxLength, field };
      return createSha256()
        .update(await source.fingerprint())
        .update(canonicalJson(pieces))
        .digest('hex');
    },
    async *rows(signal) {
      for await (const row of source.rows(signal)) {
        if ('sample' in row) yield* piecesOf(row.sample, options);
        else yield row;
      }
    },
    ...(source.declares && { declares: () => (source.declares as NonNullable<DataSource['declares']>)() }),
  };
}

function* piecesOf(sample: Sample, { field, tokenizer, maxLength }: CorpusOptions): Generator<SourceRow> {
  const { id, values, where, excerpt } = sample;
  try {
    const text = rawText(values[field], field);
    const group = sample.group ?? id ?? contentId(text);
    let number = 0;
    for (const piece of documentPieces(text, tokenizer, maxLength)) {
      const own = id === undefined ? {} : { id: number === 0 ? id : `${id}#${number + 1}` };
      number++;
      yield { sample: { ...sample, ...own, group, values: { ...values, [field]: piece } } };
    }
    if (number === 0) throw new BrokenValue('tokens', `'${field}' has no two tokens`);
  } catch (error) {
    if (!(error instanceof BrokenValue)) throw error;
    const { message: problem, reason } = error;
    yield {
      broken: { where: where ?? id ?? 'a row', problem, reason, ...(excerpt !== undefined && { excerpt }) },
    };
  }
}

/** As a data set of whole texts knows a text by its content: the same texts are in the same splits. */
function contentId(text: string): string {
  return hexOf(sha256Of(text).subarray(0, SAMPLE_KEY_BYTES));
}
