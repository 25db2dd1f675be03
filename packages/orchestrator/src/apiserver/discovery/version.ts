// GET /version: which Kubernetes API this is. Clients compare their own version with it.

export const versionDocument: Readonly<Record<string, string>> = {
  major: '1',
  minor: '33',
  emulationMajor: '1',
  emulationMinor: '33',
  gitVersion: 'v1.33.0+balsa.0.1.0',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2026-11-21T00:00:00Z',
  goVersion: 'none',
  compiler: 'tsc',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
}
