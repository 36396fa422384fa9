import { fromRegistries } from '../registry.ts';
import {
  AUDIO_TEACHERS,
  COLUMN_TEACHERS,
  HOSTED_TEACHERS,
  HUB_TEACHERS,
  IMAGE_TEACHERS,
  PAIR_TEACHERS,
  TEACHERS,
} from '../teachers/index.ts';
import { SEVERAL_TEACHERS } from '../teachers/several/options.ts';
import { registryUnion } from './registry-union.ts';

/** Who teaches: one of the registered teachers, with its options. */
export const teacherSchema = fromRegistries(() =>
  registryUnion([
    ...TEACHERS,
    ...IMAGE_TEACHERS,
    ...PAIR_TEACHERS,
    ...COLUMN_TEACHERS,
    ...AUDIO_TEACHERS,
    ...HOSTED_TEACHERS,
    ...HUB_TEACHERS,
    ...SEVERAL_TEACHERS,
  ]),
);
