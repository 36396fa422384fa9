import type { z } from 'zod';
import { registry } from '../../registry.ts';
import type { DataSource } from '../sample.ts';
import { asteriskPrompts } from './asterisk-prompts.ts';
import { audioFolder } from './audio-folder.ts';
import { boxTable } from './box-table.ts';
import { chexpert } from './chexpert.ts';
import { coco } from './coco.ts';
import { csv } from './csv.ts';
import { emoji } from './emoji.ts';
import { huggingFace } from './hugging-face.ts';
import { fashionMnist, idx } from './idx.ts';
import { imageFolder } from './image-folder.ts';
import { jsonl } from './jsonl.ts';
import { parquet } from './parquet.ts';
import { scenes } from './scenes.ts';
import type { SourceContext, SourceKind } from './source.ts';
import { spokenWords } from './spoken-words.ts';
import { textFolder } from './text-folder.ts';
import { wordnetEntries } from './wordnet-entries.ts';
import { wordnetGlosses } from './wordnet-glosses.ts';
import { wordnetKinds } from './wordnet-kinds.ts';

export type { SourceContext, SourceKind } from './source.ts';

/** Every kind of data source that a recipe can name. A new one is a file and a line here. */
export const SOURCES = registry('data source', [
  wordnetGlosses,
  wordnetKinds,
  wordnetEntries,
  jsonl,
  csv,
  parquet,
  textFolder,
  huggingFace,
  imageFolder,
  audioFolder,
  emoji,
  idx,
  fashionMnist,
  coco,
  boxTable,
  chexpert,
  scenes,
  spokenWords,
  asteriskPrompts,
]);

type Source = (typeof SOURCES)[number];

/** What stands under `data.source` in a recipe: `kind`, and that kind's options. */
export type SourceOptions = {
  [S in Source as S['kind']]: { kind: S['kind'] } & z.output<S['options']>;
}[Source['kind']];

/** Opens the source that a recipe names. Throws LimbeckError where it is missing or not what it should be. */
export async function openSource(options: SourceOptions, context: SourceContext): Promise<DataSource> {
  const { kind, ...rest } = options;
  const source = SOURCES.find((one) => one.kind === kind) as unknown as SourceKind;
  return source.open(rest, context);
}
