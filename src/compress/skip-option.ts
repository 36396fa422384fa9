import { z } from 'zod';

/**
 * What a transform's options say of layers that it leaves alone.
 *
 * @param layers what it would change otherwise: `Convolutions`
 */
export function skipOption(layers: string) {
  return z
    .array(z.string().min(1).max(200))
    .max(100)
    .default([])
    .describe(`${layers} that stay whole, by the names of their weights; \`*\` stands for anything.`);
}
