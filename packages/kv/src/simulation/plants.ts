// Violations planted on purpose, to see that a run tells of them and can be replayed. The member stays as it is: what is wrong is the world
// around it, a disk or a wire that breaks its word.

/** `lying-tables`: what the tables have synced goes with the power. `lost-event`: a wire to watchers loses an answer now and then. */
export const memberPlantNames = ['lying-tables', 'lost-event'] as const
export type MemberPlantName = (typeof memberPlantNames)[number]

/** Of the answers with events every how-manieth is lost. */
export const lostEventEvery = 20

export function isMemberPlantName(name: string): name is MemberPlantName {
  return memberPlantNames.some((known) => known === name)
}
