// The Targets column of autoscalers: `cpu: 12%/80%, memory: 3Mi/10Mi + 1 more...`.
import type {
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValue,
} from './horizontal-pod-autoscaler.ts'

const shownMax = 2

export function targetsText(
  specs: readonly MetricSpec[],
  statuses: readonly MetricStatus[],
): string {
  if (specs.length === 0) return '<none>'
  const texts = specs.map((spec, index) => targetText(spec, statuses[index]))
  const shown = texts.slice(0, shownMax).join(', ')
  return texts.length > shownMax ? `${shown} + ${texts.length - shownMax} more...` : shown
}

function targetText(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case 'Resource':
      return `${spec.resource?.name ?? ''}: ${ratio(spec.resource?.target, status?.resource?.current)}`
    case 'ContainerResource':
      return `${spec.containerResource?.name ?? ''}: ${ratio(
        spec.containerResource?.target,
        status?.containerResource?.current,
      )}`
    case 'Pods':
      return ratio(spec.pods?.target, status?.pods?.current)
    case 'Object':
      return averaged(spec.object?.target, status?.object?.current)
    case 'External':
      return averaged(spec.external?.target, status?.external?.current)
    default:
      return '<unknown type>'
  }
}

const ratio = (target: MetricTarget | undefined, current: MetricValue | undefined): string => {
  if (target?.averageValue !== undefined)
    return `${current?.averageValue ?? '<unknown>'}/${target.averageValue}`
  if (target?.averageUtilization === undefined) return '<unknown>/<auto>'
  const now =
    current?.averageUtilization === undefined ? '<unknown>' : `${current.averageUtilization}%`
  return `${now}/${target.averageUtilization}%`
}

const averaged = (target: MetricTarget | undefined, current: MetricValue | undefined): string =>
  target?.averageValue === undefined
    ? `${current?.value ?? '<unknown>'}/${target?.value ?? '<unset>'}`
    : `${current?.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`
