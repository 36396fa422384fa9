import type { Batch } from '../../data/batch.ts';
import { ANSWER_MASK, ANSWER_PLACES, ATTENTION_MASK, INPUT_IDS, SEQUENCE } from '../../data/columns.ts';
import { CommonBoundaries, type PieceRead } from '../../data/corpus/common-boundaries.ts';
import { TextProcessor } from '../../data/modalities/text/text-processor.ts';
import { TokenPiece } from '../../data/modalities/text/token-piece.ts';
import type { ExactSpelling } from '../../data/modalities/text/tokenizer/token-bytes.ts';
import { SpelledTokens } from '../../data/modalities/text/tokenizer/token-ends.ts';
import { tokenSpans } from '../../data/modalities/text/tokenizer/token-spans.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import { emptyColumn } from '../../data/prepared/batch-columns.ts';
import { LimbeckError } from '../../errors.ts';
import { type Tensor, zeros } from '../../onnx/tensor.ts';
import { percent } from '../../percent.ts';
import { nextTokensTruth } from '../../targets/next-tokens-truth.ts';
import { PLACES } from '../../targets/placed-forms.ts';
import type { TeacherReading } from '../context/task.ts';
import { textLabelling } from './ask-teacher.ts';
import { readingBy } from './reading-by.ts';
import { lengthsUpTo } from './text-reading.ts';

/** Longer spans are left out: float16 does not count further, and nothing is learnt from a span like that. */
const LONGEST_SPAN = 2048;
/** Left-out documents that are shown. */
const SHOWN = 3;

export interface DocumentReadingOptions {
  /** What the student's pieces were cut by. */
  readonly student: Tokenizer;
  readonly teacher: Tokenizer;
  /** Tokens that the teacher reads at most. */
  readonly maxLength: number;
  /** The column with the tokens that come next. */
  readonly labels: string;
}

/**
 * How a teacher that is a language model reads pieces of documents by its own tokenizer, and which of its tokens end where one of
 * the student's does (`CommonBoundaries`). What comes next is told in its own tokens, so that it is measured as it writes.
 *
 * @throws LimbeckError `teacher.vocabulary` for tokenizers that do not say which bytes their tokens are
 */
export function documentReading({
  student,
  teacher,
  maxLength,
  labels,
}: DocumentReadingOptions): TeacherReading {
  const common = new CommonBoundaries(
    { tokenizer: student, spelling: requireBytes(student, 'student') },
    { tokenizer: teacher, spelling: requireBytes(teacher, 'teacher') },
    maxLength,
  );
  requireUnchanged(teacher);
  const processor = new TextProcessor({ tokenizer: teacher, fields: [''], buckets: lengthsUpTo(maxLength) });
  const truth = nextTokensTruth(teacher);
  const space = { vocabulary: teacher.vocabularySize, endOfText: teacher.endOfText };
  const counts = new Counts();
  const { preprocessing, ...facts } = textLabelling({ tokenizer: teacher }, maxLength);
  const reading = readingBy(
    {
      ...facts,
      preprocessing: `${preprocessing}, at the tokens of ${student.hash}`,
      token: (id) => teacher.token(id),
    },
    (batch) => {
      const pieces = piecesOf(batch, common);
      for (const piece of pieces.read) counts.add(piece);
      const longest = Math.max(1, ...pieces.read.map(({ ids }) => ids.length));
      const length = processor.axis.buckets.find((bucket) => bucket >= longest) as number;
      const sizes = { ...batch.sizes, [SEQUENCE]: length };
      const specs = [...processor.columns, ...truth.columns(space, labels)];
      const shapeOf = ({ shape }: (typeof specs)[number]) => [batch.rows, ...shape.map(() => length)];
      const made: Record<string, Tensor> = Object.fromEntries(
        specs.map((spec) => [spec.name, emptyColumn(spec, shapeOf(spec))]),
      );
      for (const [row, { ids, next, bytes, text }] of pieces.read.entries()) {
        const encoded = processor.encode(new TokenPiece({ ids, next, bytes, text }));
        processor.decode(encoded.bytes, made, row, sizes);
        truth.write([bytes, next], made, row, space, labels);
      }
      for (let row = batch.filled; row < batch.rows; row++) processor.blank(made, row, sizes);
      const answers = {
        [ANSWER_PLACES]: placesOf(batch, pieces, teacher.frame.paddingSide === 'left' ? length : undefined),
        [ANSWER_MASK]: batch.columns[ATTENTION_MASK] as Tensor,
      };
      return { columns: { ...batch.columns, ...made, ...answers }, sizes };
    },
    tokenSpans,
  );
  return { ...reading, told: () => counts.sentences() };
}

interface Pieces {
  readonly read: readonly PieceRead[];
  /** Where the student's tokens begin in each row. */
  readonly starts: Uint32Array;
  /** T: the length that the student's rows are padded to. */
  readonly padded: number;
}

function piecesOf(batch: Batch, common: CommonBoundaries): Pieces {
  const spans = tokenSpans(batch);
  if (!spans) throw new Error('a batch without tokens is no batch of documents');
  const { padded, starts, lengths } = spans;
  const ids = (batch.columns[INPUT_IDS] as Tensor).data as BigInt64Array;
  const read = Array.from({ length: batch.filled }, (_, row) => {
    const from = row * padded + (starts[row] as number);
    return common.read(Array.from(ids.subarray(from, from + (lengths[row] as number)), Number));
  });
  return { read, starts, padded };
}

/** int64 [rows, the student's sequence, PLACES]. @param padded the length of the teacher's rows where they are padded on the left */
function placesOf({ rows }: Batch, { read, starts, padded }: Pieces, left: number | undefined): Tensor {
  const column = zeros('int64', [rows, padded, PLACES]);
  const data = column.data as BigInt64Array;
  for (let at = 0; at < data.length; at += PLACES) data[at] = -1n;
  for (const [row, { ids, boundaries }] of read.entries()) {
    const moved = left === undefined ? 0 : left - ids.length;
    for (const [i, { student, teacher, goesOn }] of boundaries.entries()) {
      const at = (row * padded + (starts[row] as number) + student) * PLACES;
      const before = boundaries[i - 1];
      const tokens = before ? student - before.student : 0;
      data[at] = BigInt(moved + teacher);
      data[at + 1] = goesOn ? 1n : 0n;
      if (!before || tokens > LONGEST_SPAN) continue;
      data[at + 2] = BigInt(moved + before.teacher);
      data[at + 3] = BigInt(tokens);
    }
  }
  return column;
}

/** How the pieces fit that were read until now. */
class Counts {
  #pieces = 0;
  #tokens = 0;
  #common = 0;
  #shortened = 0;
  #leftOut = 0;
  readonly #shown: string[] = [];

  add({ boundaries, ids, isExact, isShortened, text }: PieceRead): void {
    this.#pieces++;
    this.#tokens += ids.length;
    this.#common += boundaries.length;
    if (isShortened) this.#shortened++;
    if (isExact) return;
    this.#leftOut++;
    if (this.#shown.length < SHOWN) this.#shown.push(`'${text.slice(0, 60)}'`);
  }

  sentences(): string[] {
    if (this.#pieces === 0) return [];
    const told = [
      `${percent(this.#common / Math.max(1, this.#tokens))} of the teacher's tokens end where one of the student's does (${this.#pieces} pieces of documents)`,
    ];
    if (this.#leftOut > 0) {
      told.push(
        `${this.#leftOut} of ${this.#pieces} pieces of documents are not taught: the teacher's tokenizer changes their text, so that nothing says where its tokens end: ${this.#shown.join(', ')}${this.#leftOut > SHOWN ? ', ...' : ''}`,
      );
    }
    if (this.#shortened > 0) {
      told.push(
        `of ${this.#shortened} of ${this.#pieces} pieces of documents the end is not taught: they have more of the teacher's tokens than it reads; a smaller data.maxLength makes shorter pieces`,
      );
    }
    return told;
  }
}

function requireBytes(tokenizer: Tokenizer, whose: 'student' | 'teacher'): ExactSpelling {
  const spelling = tokenizer.exactSpelling;
  // A student's tokens are all that is kept of a text: what SentencePiece puts before one would be taken for a part of it.
  if (spelling && (whose === 'teacher' || spelling === 'byte-level')) return spelling;
  throw new LimbeckError(
    'teacher.vocabulary',
    `the ${whose}'s tokens do not say which bytes of a text they are`,
    {
      where: "inputs.NAME.tokenizer, with another tokenizer than the teacher's",
      remedy:
        whose === 'student'
          ? "Give the student a byte-level vocabulary (tokenizer: { train: { kind: bpe } }), or leave the tokenizer out: it then reads by the teacher's."
          : "Take a teacher with a byte-level or SentencePiece vocabulary, or leave the tokenizer out: the student then reads by the teacher's.",
    },
  );
}

/** Refuses a tokenizer that changes every text, so that no document could be taught. */
function requireUnchanged(tokenizer: Tokenizer): void {
  const spelling = requireBytes(tokenizer, 'teacher');
  if (new SpelledTokens(tokenizer, spelling).cut(PLAIN)) return;
  throw new LimbeckError('teacher.vocabulary', "the teacher's tokenizer changes texts before it cuts them", {
    where: `'${PLAIN}' becomes '${tokenizer.decode(tokenizer.encodePlain(PLAIN))}'`,
    remedy:
      "Where its tokens end in a text cannot be told then. Leave inputs.NAME.tokenizer out, so that the student reads by the teacher's.",
  });
}

const PLAIN = 'The owl reads 12 books, and sleeps.';
