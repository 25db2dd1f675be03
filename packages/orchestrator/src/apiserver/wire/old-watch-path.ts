// The paths by which older clients watch: /api/v1/watch/pods is /api/v1/pods?watch=true.
const oldPattern = /^\/(api\/[^/]+|apis\/[^/]+\/[^/]+)\/watch\/(.+)$/

/** The path and query of today; undefined: it is one already. */
export const fromOldWatchPath = (
  path: string,
  rawQuery: string,
): { readonly path: string; readonly rawQuery: string } | undefined => {
  const [, version, rest] = path.includes('/watch/') ? (oldPattern.exec(path) ?? []) : []
  if (version === undefined || rest === undefined) return undefined
  const query = rawQuery === '' ? 'watch=true' : `watch=true&${rawQuery}`
  return { path: `/${version}/${rest}`, rawQuery: query }
}
