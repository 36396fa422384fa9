/** The marks by which tokenizers say that a word begins (SentencePiece, byte-level BPE), goes on, or ends. */
const MARKS = /^(?:▁|Ġ|##)+|<\/w>$/g;

/** What a token is called in the graph: without its tokenizer's marks and in small letters, so that forms of a word meet. */
export function groupedToken(token: string): string {
  const plain = token.replace(MARKS, '').trim().toLowerCase();
  return plain === '' ? token : plain;
}
