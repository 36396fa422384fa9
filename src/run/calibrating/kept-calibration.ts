import { z } from 'zod';
import { canonicalJson } from '../../data/canonical-json.ts';
import { WEIGHT_GRADIENT_FORMS } from '../../onnx/blocked/noted-convolution.ts';
import { CONVOLUTION_FORMS } from '../../onnx/formulations.ts';
import { existsSync } from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import { join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import { replaceFile } from '../../replace-file.ts';
import { type CalibrationOptions, calibrate, stepConvolutions } from '../../train/calibration/calibrate.ts';
import { channelBlock } from '../../train/calibration/channel-block.ts';
import { VERSION } from '../../version.ts';
import { machineTitle } from './machine-title.ts';

const form = z.enum(CONVOLUTION_FORMS);
const weightForm = z.enum(WEIGHT_GRADIENT_FORMS);
/** Changes whenever forms are added or computed otherwise. */
const FORMS = 2;
const milliseconds = z.number().nonnegative().nullable();

const keptCalibration = z.object({
  version: z.literal(VERSION),
  /** Of the forms that there are to choose among: an answer of when there were fewer is measured anew. */
  forms: z.literal(FORMS),
  machine: z.string(),
  formulations: z
    .object({
      block: z.int().min(0).max(64),
      convolutions: z.record(z.string(), form),
      weightGradients: z.record(z.string(), weightForm).optional(),
    })
    .optional(),
  trials: z.record(z.string(), z.partialRecord(form, milliseconds)),
  weightTrials: z.record(z.string(), z.partialRecord(weightForm, milliseconds)),
  step: z.object({ before: milliseconds, after: milliseconds }),
});

/** What a calibration of a step on this machine found, kept beside the store: in `calibrations/`, a file for each. */
export type KeptCalibration = z.output<typeof keptCalibration>;

/**
 * The calibration of a training step: as it is kept in the store's folder, or measured now and kept. undefined where the
 * step has nothing to choose, or the signal stopped it.
 *
 * @param again measures also where a calibration is kept
 */
export async function calibrated(
  storeFolder: string,
  options: CalibrationOptions,
  { again = false }: { readonly again?: boolean } = {},
): Promise<KeptCalibration | undefined> {
  const keys = [...stepConvolutions(options).keys()].sort();
  if (keys.length === 0) return undefined;
  const machine = machineTitle(options.engine);
  const name = createSha256()
    .update(canonicalJson({ version: VERSION, machine, keys, sizes: options.sizes }))
    .digest('hex');
  const file = join(storeFolder, 'calibrations', `${name.slice(0, 32)}.json`);
  const known = again ? undefined : read(file);
  // A folder that was copied from another machine must not decide how numbers lie in memory here.
  const block = known?.formulations?.block ?? 0;
  if (known && (block === 0 || block === (await channelBlock(options.engine)))) return known;
  const found = await calibrate(options);
  if (!found) return undefined;
  // A form that does not run takes forever, which JSON has no number for: null.
  const kept = JSON.stringify({ version: VERSION, forms: FORMS, machine, ...found }, null, 2);
  replaceFile(file, `${kept}\n`, 'store');
  return keptCalibration.parse(JSON.parse(kept));
}

/** Of another version, or damaged: it is measured anew. */
function read(file: string): KeptCalibration | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return keptCalibration.parse(JSON.parse(readRegularText(file)));
  } catch {
    return undefined;
  }
}
