import { LimbeckError } from '../errors.ts';
import type { ModelAnatomy } from '../onnx/anatomy/anatomy.ts';
import type { TypedValue } from '../onnx/graph.ts';

/** Pixels [B, channels, H, W] have four axes, embeddings of tokens [B, T, width] three, a waveform [B, samples] has two. */
const PIXEL_AXES = 4;
const TOKEN_AXES = 3;
const WAVEFORM_AXES = 2;

/** The name of what a model's decisions are traced back to. @throws LimbeckError `recipe.no-features` where there is none */
export function attributedName({ features }: ModelAnatomy, who: string, loss: string): string {
  if (features !== undefined) return features;
  throw noFeatures(`the ${who} shows neither pixels nor embeddings of tokens nor a waveform`, loss);
}

/** The value itself. @throws LimbeckError `recipe.no-features` where it is neither pixels nor embeddings */
export function attributedValue(
  value: (name: string) => TypedValue,
  anatomy: ModelAnatomy,
  who: string,
  loss: string,
): TypedValue {
  const name = attributedName(anatomy, who, loss);
  const features = value(name);
  const axes = features.shape.length;
  if (features.type === 'float32' && [PIXEL_AXES, TOKEN_AXES, WAVEFORM_AXES].includes(axes)) return features;
  throw noFeatures(
    `'${name}' of the ${who} is ${features.type} with ${axes} axes: neither pixels nor embeddings`,
    loss,
  );
}

export function isPixels({ shape }: TypedValue): boolean {
  return shape.length === PIXEL_AXES;
}

export function isTokens({ shape }: TypedValue): boolean {
  return shape.length === TOKEN_AXES;
}

export function isWaveform({ shape }: TypedValue): boolean {
  return shape.length === WAVEFORM_AXES;
}

function noFeatures(message: string, loss: string): LimbeckError {
  return new LimbeckError('recipe.no-features', message, {
    where: `objective.${loss}`,
    remedy: `Set objective.${loss}.weight to 0, or take a model with float32 pixels, a waveform or an embedding of its tokens (\`limbeck inspect MODEL\`).`,
  });
}
