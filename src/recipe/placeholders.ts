import { z } from 'zod';

// Stand in for the registry of src/data/sources until it lands.
const columns = {
  text: z.string().default('text').describe('The field that holds the text.'),
  label: z.string().default('label').describe('The field that holds the class name.'),
};

export const SOURCES = [
  {
    kind: 'wordnet-glosses',
    options: z.object({ partOfSpeech: z.enum(['noun', 'verb', 'adj', 'adv']).default('noun') }),
  },
  { kind: 'jsonl', options: z.object({ path: z.string(), ...columns }) },
  { kind: 'csv', options: z.object({ path: z.string(), ...columns }) },
  { kind: 'parquet', options: z.object({ path: z.string(), ...columns }) },
  { kind: 'text-folder', options: z.object({ path: z.string() }) },
  { kind: 'hugging-face', options: z.object({ name: z.string(), ...columns }) },
] as const;
