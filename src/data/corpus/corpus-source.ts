import { createSha256 } from '../../platform/hash.ts';
import { BrokenValue } from '../broken-value.ts';
import { canonicalJson } from '../canonical-json.ts';
import { rawText } from '../modalities/text/raw-text.ts';
import type { Tokenizer } from '../modalities/text/tokenizer/tokenizer.ts';
import type { DataSource, Sample, SourceRow } from '../sample.ts';
import { documentId, pieceId } from './document-id.ts';
import { documentPieces } from './document-pieces.ts';

/** Changes when the same documents would become other pieces. */
const FORMAT = 2;

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
    const document = id ?? documentId(text);
    const group = sample.group ?? document;
    let number = 0;
    for (const piece of documentPieces(text, tokenizer, maxLength)) {
      const own = pieceId(document, ++number);
      yield { sample: { ...sample, id: own, group, values: { ...values, [field]: piece } } };
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
