import { joinBytes } from '../../platform/bytes.ts';
import { NOT_ASKED } from '../modalities/text/token-piece.ts';
import type { ExactSpelling } from '../modalities/text/tokenizer/token-bytes.ts';
import { type CutText, SpelledTokens } from '../modalities/text/tokenizer/token-ends.ts';
import type { Tokenizer } from '../modalities/text/tokenizer/tokenizer.ts';
import { documentFrame } from './document-pieces.ts';

/** A place where a token of the student and one of the teacher end at the same byte of a text. */
export interface CommonBoundary {
  /** The student's token that ends there, by its place. */
  readonly student: number;
  /** The teacher's. */
  readonly teacher: number;
  /** Whether something comes next: not where the text is over. */
  readonly goesOn: boolean;
}

/** A piece of a document as a teacher with another tokenizer reads it. */
export interface PieceRead {
  readonly ids: readonly number[];
  /** What comes after each of the ids; NOT_ASKED after the last. */
  readonly next: readonly number[];
  /** Of the text that is asked for, as of the student's pieces: bytes are shared by tokens alike. */
  readonly bytes: number;
  /** In the order of the text. None where the bytes cannot be told. */
  readonly boundaries: readonly CommonBoundary[];
  readonly text: string;
  /** Whether it is known where the teacher's tokens end in the text. */
  readonly isExact: boolean;
  /** Whether the piece has more of the teacher's tokens than it reads. */
  readonly isShortened: boolean;
}

interface Reader {
  readonly tokenizer: Tokenizer;
  readonly spelling: ExactSpelling;
}

/**
 * Reads pieces of documents, which are tokens of a student, by a teacher's tokenizer. The teacher reads the bytes of the piece alone,
 * as the student does: with the special tokens that it has before a text and, where the document ends, with its own end of text. What
 * a cut through a character leaves at either end of a piece is left out.
 *
 * Where the tokens of both end is known from their bytes, which are those of the text, one by one, or nothing is said of the piece.
 * The last token of a piece that is cut off is no boundary: more of its word may follow, and the teacher would have read that otherwise.
 */
export class CommonBoundaries {
  readonly #student: Tokenizer;
  readonly #teacher: Tokenizer;
  readonly #maxLength: number;
  readonly #own: SpelledTokens;
  readonly #theirs: SpelledTokens;
  readonly #frames: { readonly own: Frame; readonly theirs: Frame };

  /** @param maxLength tokens that the teacher reads at most */
  constructor(student: Reader, teacher: Reader, maxLength: number) {
    this.#student = student.tokenizer;
    this.#teacher = teacher.tokenizer;
    this.#maxLength = maxLength;
    this.#own = new SpelledTokens(student.tokenizer, student.spelling);
    this.#theirs = new SpelledTokens(teacher.tokenizer, teacher.spelling);
    this.#frames = { own: documentFrame(student.tokenizer), theirs: documentFrame(teacher.tokenizer) };
  }

  /** @param ids the student's tokens, with those around a document */
  read(ids: readonly number[]): PieceRead {
    const { own, theirs } = this.#frames;
    const begins = startsWith(ids, own.before) ? own.before.length : 0;
    const ends = endsWith(ids, own.after) ? own.after.length : 0;
    const inside = ids.slice(begins, ids.length - ends);
    const parts = inside.map((id) => this.#own.of(id));
    const bytes = joinBytes(parts);
    const whole = wholeCharacters(bytes);
    const { unknownId } = this.#student;
    const knowsAll = unknownId === undefined || !inside.includes(unknownId);
    const cut = whole && knowsAll ? this.#theirs.cut(whole.text) : undefined;
    const text = whole?.text ?? new TextDecoder().decode(bytes);
    const all = [
      ...theirs.before,
      ...(cut?.ids ?? this.#teacher.encodePlain(text)),
      ...(ends > 0 ? theirs.after : []),
    ];
    const read = all.slice(0, this.#maxLength);
    const boundaries =
      cut && whole
        ? common(
            ownEnds({ begins, ends, parts, total: bytes.length }),
            this.#endsOf(cut, whole.from, ends > 0 ? bytes.length : undefined).slice(0, this.#maxLength),
            ends > 0 ? bytes.length : undefined,
          )
        : [];
    const asked = Math.max(0, read.length - 1);
    return {
      ids: read,
      next: [...read.slice(1), NOT_ASKED],
      bytes: (bytes.length * asked) / Math.max(1, all.length - theirs.before.length),
      boundaries,
      text,
      isExact: cut !== undefined,
      isShortened: read.length < all.length,
    };
  }

  /** Where the teacher's tokens end in the piece. @param total of a document that ends: one byte more stands for its end */
  #endsOf({ ends }: CutText, from: number, total: number | undefined): number[] {
    const { before, after } = this.#frames.theirs;
    return [
      ...before.map(() => from),
      ...ends.map((end) => from + end),
      ...(total === undefined ? [] : after.map(() => total + 1)),
    ];
  }
}

type Frame = ReturnType<typeof documentFrame>;

function ownEnds(piece: {
  readonly begins: number;
  readonly ends: number;
  readonly parts: readonly Uint8Array[];
  readonly total: number;
}): number[] {
  let at = 0;
  return [
    ...Array.from({ length: piece.begins }, () => 0),
    ...piece.parts.map(({ length }) => {
      at += length;
      return at;
    }),
    ...Array.from({ length: piece.ends }, () => piece.total + 1),
  ];
}

/** @param total bytes of a document that ends; undefined where the piece is cut off */
function common(
  own: readonly number[],
  theirs: readonly number[],
  total: number | undefined,
): CommonBoundary[] {
  const placeOf = new Map(theirs.map((end, place) => [end, place]));
  if (total === undefined && theirs.length > 0) placeOf.delete(theirs.at(-1) as number);
  return own.flatMap((end, student) => {
    const teacher = placeOf.get(end);
    // Of tokens without bytes the last one has read all that stands before.
    if (teacher === undefined || own[student + 1] === end) return [];
    return [{ student, teacher, goesOn: total === undefined || end <= total }];
  });
}

/** A text without the bytes at its ends that are no whole characters, and where it begins; undefined for what is not UTF-8. */
function wholeCharacters(bytes: Uint8Array): { readonly text: string; readonly from: number } | undefined {
  let from = 0;
  while (from < bytes.length && isContinuation(bytes[from] as number)) from++;
  let last = bytes.length - 1;
  while (last > from && isContinuation(bytes[last] as number)) last--;
  const wanted = last >= from ? charactersLength(bytes[last] as number) : 0;
  const to = last >= from && last + wanted > bytes.length ? last : bytes.length;
  try {
    return { text: UTF8.decode(bytes.subarray(from, to)), from };
  } catch {
    return undefined;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte < 0xc0;
}

/** Bytes of the character that begins with a byte. */
function charactersLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

function startsWith(ids: readonly number[], part: readonly number[]): boolean {
  return part.every((id, i) => ids[i] === id);
}

function endsWith(ids: readonly number[], part: readonly number[]): boolean {
  return (
    part.length > 0 &&
    part.length <= ids.length &&
    part.every((id, i) => ids[ids.length - part.length + i] === id)
  );
}
