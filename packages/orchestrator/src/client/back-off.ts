// Growing delays between tries of one thing.

export interface BackOffOptions {
  readonly firstMs: number
  readonly maxMs: number
}

/** The delay before try number `failures` + 1: doubles from `firstMs` up to `maxMs`; 0 without a failure. */
export const backOffMs = (failures: number, { firstMs, maxMs }: BackOffOptions): number =>
  failures <= 0 ? 0 : Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 40))
