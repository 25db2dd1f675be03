// Messages of admissionregistration/v1. The notation is that of ../messages.ts.

export const admissionregistrationV1: string = `
AuditAnnotation key!+:string valueExpression!+:string
ExpressionWarning fieldRef!+:string warning!+:string
MatchCondition expression!+:string name!+:string
MatchResources~ excludeResourceRules:[]NamedRuleWithOperations matchPolicy*:string
  namespaceSelector:LabelSelector objectSelector:LabelSelector
  resourceRules:[]NamedRuleWithOperations
MutatingWebhook 1:name!+:string 2:clientConfig!+:WebhookClientConfig
  3:rules:[]RuleWithOperations 4:failurePolicy*:string 5:namespaceSelector:LabelSelector
  6:sideEffects+*:string 7:timeoutSeconds*:int32 8:admissionReviewVersions!+:[]string
  9:matchPolicy*:string 10:reinvocationPolicy*:string 11:objectSelector:LabelSelector
  matchConditions:[]MatchCondition@name
MutatingWebhookConfiguration kind:string apiVersion:string 1:metadata!:ObjectMeta
  2:webhooks:[]MutatingWebhook@name
NamedRuleWithOperations~ apiGroups:[]string apiVersions:[]string operations:[]string
  resourceNames:[]string resources:[]string scope*:string
ParamKind~ apiVersion*:string kind*:string
ParamRef~ name*:string namespace*:string parameterNotFoundAction*:string selector:LabelSelector
RuleWithOperations 1:operations:[]string apiGroups:[]string apiVersions:[]string
  resources:[]string scope*:string
ServiceReference 1:namespace!+:string 2:name!+:string 3:path*:string 4:port*:int32
TypeChecking expressionWarnings:[]ExpressionWarning
ValidatingAdmissionPolicy kind:string apiVersion:string metadata!:ObjectMeta
  spec!:ValidatingAdmissionPolicySpec status!:ValidatingAdmissionPolicyStatus
ValidatingAdmissionPolicyBinding kind:string apiVersion:string metadata!:ObjectMeta
  spec!:ValidatingAdmissionPolicyBindingSpec
ValidatingAdmissionPolicyBindingSpec matchResources:MatchResources paramRef:ParamRef
  policyName*:string validationActions:[]string
ValidatingAdmissionPolicySpec auditAnnotations:[]AuditAnnotation failurePolicy*:string
  matchConditions:[]MatchCondition@name matchConstraints:MatchResources paramKind:ParamKind
  validations:[]Validation variables:[]Variable@name
ValidatingAdmissionPolicyStatus conditions:[]Condition%type observedGeneration*:int64
  typeChecking:TypeChecking
ValidatingWebhook 1:name!+:string 2:clientConfig!+:WebhookClientConfig
  3:rules:[]RuleWithOperations 4:failurePolicy*:string 5:namespaceSelector:LabelSelector
  6:sideEffects+*:string 7:timeoutSeconds*:int32 8:admissionReviewVersions!+:[]string
  9:matchPolicy*:string 10:objectSelector:LabelSelector matchConditions:[]MatchCondition@name
ValidatingWebhookConfiguration kind:string apiVersion:string 1:metadata!:ObjectMeta
  2:webhooks:[]ValidatingWebhook@name
Validation expression!+:string message:string messageExpression*:string reason:string
Variable expression!+:string name!+:string
WebhookClientConfig 1:service:ServiceReference 2:caBundle:bytes 3:url*:string
`
