import { LimbeckError } from '../errors.ts';
import { basename } from '../platform/paths.ts';
import { fileOf, type ModelFiles } from './model-folder.ts';

/** Files from which a tokenizer.json can be made. */
const OTHER_TOKENIZERS = [
  'vocab.txt',
  'vocab.json',
  'spiece.model',
  'sentencepiece.bpe.model',
  'tokenizer.model',
];

/** @throws LimbeckError `tokenizer.missing`, with how to make one of the files that are there */
export function noTokenizer(files: Pick<ModelFiles, 'folders'>): never {
  const other = OTHER_TOKENIZERS.map((name) => fileOf(files, name)).find(Boolean);
  const folder = files.folders.at(-1) as string;
  throw new LimbeckError('tokenizer.missing', 'there is no tokenizer.json beside the teacher', {
    where: files.folders.join(', '),
    remedy: other
      ? `Make it of ${basename(other)}: python -c "from transformers import AutoTokenizer as T; T.from_pretrained('${folder}').save_pretrained('${folder}')"`
      : "Put the model's tokenizer.json beside it, or give its path (teacher.tokenizer).",
  });
}
