// Command lines whose answers of kubectl and of `balsa` are compared. `~` is a space within a word. NODE and DEPLOY are one's own, of those
// who have two; USER is the kubeconfig of somebody without rights, FILE a manifest.
export const kubectlLines: readonly string[] = `
explain pods
explain pod.spec.containers --recursive
explain crd.spec.versions.schema --recursive
explain deploy.spec.strategy.type
explain deploy.spec.nope
explain events --api-version=events.k8s.io/v1
explain nope
explain pods nodes
explain pod.spec.containers.resources
explain hpa.spec.metrics --recursive
get
get nope
get pods -o nope
get deploy/web -o jsonpath={.metadata.name}
get deploy -o jsonpath={.items[*].metadata.name}
get deploy -o jsonpath={range~@.items[*]}x{end}
get deploy -o jsonpath={.items[?(@.metadata.name=="web")].spec.replicas}
get deploy -o jsonpath={.items[?(@.spec.replicas>0)].metadata.name}
get deploy -o jsonpath={.items[0:2].kind}
get deploy -o jsonpath={.items[-1:].metadata.name}
get deploy/web -o jsonpath={.metadata['name','namespace']}
get deploy/web -o jsonpath={..name}
get deploy/web -o jsonpath={.spec.selector}
get deploy/web -o jsonpath={.spec.template.spec.containers}
get deploy/web -o jsonpath={.spec.nope}
get deploy/web -o jsonpath-as-json={.spec.selector}
get deploy/web -o jsonpath={.x
get deploy -o custom-columns=NAME:.metadata.name,IMAGE:.spec.template.spec.containers[*].image,NO:.nope
get deploy -o custom-columns=NAME:.metadata.name,L:.spec.selector --no-headers
get deploy -o custom-columns=NAME
get deploy -o custom-columns=
get deploy,svc -o custom-columns=KIND:.kind,NAME:metadata.name
get deploy -o name --sort-by=.metadata.name
get deploy --sort-by={.spec.replicas} -o name
get svc --sort-by=.spec.nope
get deploy/web -o go-template={{.metadata.name}}
get deploy -o go-template={{range~.items}}{{.metadata.name}}={{.spec.replicas}};{{end}}
get deploy -o go-template={{range~$i,$e:=.items}}{{if~$i}},{{end}}{{$e.metadata.name}}{{end}}
get deploy/web -o go-template={{index~.spec.selector.matchLabels~"app"}}
get deploy/web -o go-template={{.spec.nope}}
get deploy/web -o go-template={{len~.spec.template.spec.containers}}{{printf~"%s"~"x"}}
get deploy -o go-template --template={{.kind}}
get deploy --show-kind -o name
get svc/web -o name
get deploy web nope -o name
get pods --as-group=x
get pods --as=bob
get pods --as=bob --as-group=system:masters -l app=nope
get pods --frob
get pods -Q
get deploy -o yaml --as=bob --as-group=system:masters -l app=nope
get --raw /version
get --raw /nope
get cm -l app=nope -o json
wait deploy/web --for=jsonpath={.status.replicas}=1
wait deploy/web --for=jsonpath=.metadata.name
wait deploy/web --for=jsonpath={.status.replicas}=2 --timeout=0
wait deploy/web --for=jsonpath={.metadata}=web
wait deploy/web --for=jsonpath={.status.conditions[*].status}=True
wait deploy/web --for=jsonpath={.x=1
wait deploy/web --for=create
wait deploy/nope --for=create --timeout=0
wait deploy --all --for=condition=available
wait pods -l app=nope --for=condition=Ready
wait deploy/web cm/nope --for=condition=Available
wait cm/gone --for=delete
wait deploy/web --for=nonsense
wait deploy --for=create
taint node NODE a=b:NoSchedule
taint node NODE a=b:NoSchedule
taint node NODE a=c:NoSchedule --overwrite
taint node NODE b=1:NoExecute a:NoSchedule-
taint node NODE a:NoSchedule- c-
taint node NODE b-
taint node NODE a=b:Bad
taint node NODE a=b
taint node NODE a=b:NoSchedule a-
taint node NODE
taint node/NODE a=b:NoSchedule
taint pod x a=b:NoSchedule
taint node nope a=b:NoSchedule
auth can-i --list
auth can-i --list --no-headers --kubeconfig USER
auth can-i --list pods
auth can-i get
auth can-i get pods -q
auth can-i frob nopes
auth can-i * *
auth can-i get deploy/web -A --subresource scale
auth can-i list storageclasses
auth can-i delete nodes -q --kubeconfig USER
auth whoami
config view
config view --minify -o json
config view --raw
config get-contexts
config get-contexts nope
config get-contexts -o name --no-headers
config set-context --current --namespace=there
config get-contexts
config set-context other --cluster=balsa
config use-context other
config current-context
config use-context nope
config view
config use-context balsa
config set-context --current --namespace=default
config get-clusters
config get-users
set image deploy/DEPLOY web=web:2
set image deploy/DEPLOY web=web:2
set image deploy DEPLOY *=web:3 nope=x
set image deploy/DEPLOY
set image deploy/nope web=x
set image cm/kube-root-ca.crt web=x
set image
label deploy --list -l app=web
label deploy/web svc/web --list
label deploy web x=y --dry-run=client
label deploy web x=y --dry-run=server -o name
label deploy web
label deploy nope x=y
annotate deploy web
rollout status deploy/web
rollout status cm/kube-root-ca.crt
rollout status deploy/nope
rollout status
rollout history deploy/web
rollout history cm/kube-root-ca.crt
rollout undo cm/kube-root-ca.crt
rollout undo deploy/web
rollout pause deploy/DEPLOY
rollout pause deploy/DEPLOY
rollout restart deploy/DEPLOY
rollout resume deploy/DEPLOY
rollout resume deploy/DEPLOY
rollout pause svc/web
rollout restart cm/kube-root-ca.crt
port-forward svc/nope 1:2
port-forward svc/web 1:81
port-forward svc/web 1:nope
cp here there
cp a:/x b:/y
cp a/b/c:/x y
cp a: b
cp one
cp nope:/x y
create deployment
create deployment a
create deployment web --image=nginx:1.2 --image=a/b/busybox@sha256:abc --port=80 --replicas=3 --dry-run=client -o yaml
create deployment web --image=x --dry-run=client -o yaml -- cmd a b
create deploy a --image=x,y --dry-run=client -- z
create deploy a --image=x --port=y
create job a
create job a --image=x --from=cronjob/y
create job a --image=x --dry-run=client -o yaml -- cmd a
create cronjob a --image=x
create cronjob c --image=x --schedule=*~*~*~*~* --dry-run=client -o yaml -- cmd a
create configmap
create cm a --from-literal=x
create cm a --from-file=/nope
create cm a --from-literal=x=1 --from-literal=x=2
create cm a --from-file=/etc/hostname --dry-run=client -o yaml
create cm a --from-file=k=/etc/hostname --dry-run=client -o yaml
create secret generic s --from-literal=x=1 --type=foo --dry-run=client -o yaml
create secret tls a
create secret tls a --cert=/nope --key=/nope
create secret docker-registry r --docker-username=u --docker-password=p --docker-email=e --docker-server=s --dry-run=client -o yaml
create role a
create role a --verb=get
create role a --verb=get --resource=nopes --dry-run=client
create role r --verb=get,list --resource=pods,deploy.apps,pods/log --resource-name=a --dry-run=client -o yaml
create clusterrole r --verb=get --non-resource-url=/a --dry-run=client -o yaml
create clusterrole r2 --aggregation-rule=a=b --dry-run=client -o yaml
create rolebinding a
create rolebinding b --clusterrole=x --user=u --group=g --serviceaccount=a:b --dry-run=client -o yaml
create rolebinding b --role=x --serviceaccount=a
create clusterrolebinding a
create service clusterip a
create service clusterip c --tcp=80:8080 --tcp=5 --dry-run=client -o yaml
create service clusterip c --clusterip=None --dry-run=client -o yaml
create service nodeport c --tcp=80:http --node-port=30000 --dry-run=client -o yaml
create service nodeport a --tcp=x
create ingress a
create ingress a --rule=foo
create ingress i --rule=foo.com/bar*=svc:80,tls=my --rule=/x=svc:http --class=c --annotation=a=b --default-backend=d:90 --dry-run=client -o yaml
create pdb a
create pdb a --selector=a=b
create pdb p --selector=a=b,c=d --min-available=50% --dry-run=client -o yaml
create quota a --hard=x
create quota q --hard=cpu=1,pods=2 --scopes=BestEffort --dry-run=client -o yaml
create priorityclass p --value=1000 --description=d --global-default=false --preemption-policy=Never --dry-run=client -o yaml
create ns x --dry-run=client -o yaml
create token nope
create token default --duration=x
create
create nope
run
run a
run a --image=x --port=y
run p --image=x --port=80 --labels=a=b --env=A=1 --env=B=2 --dry-run=client -o yaml -- a b
run p --image=x --command --restart=Never --dry-run=client -o yaml -- a b
run p --image=x --rm
run p --image=x --restart=Nope
expose
expose cm kube-root-ca.crt --port=1
expose deploy web --dry-run=client
expose deploy web --port=80 --target-port=http --name=n --type=NodePort --protocol=UDP --dry-run=client -o yaml
expose svc web --port=1 --name=y --external-ip=1.2.3.4 --session-affinity=ClientIP --cluster-ip=None -l z=y --dry-run=client -o yaml
autoscale deploy web
autoscale deploy web --max=1 --min=2
autoscale nope/x --max=3
autoscale cm kube-root-ca.crt --max=5
apply
diff
diff -f /nope
edit
edit cm nope
create deployment DEPLOY --image=x
create deployment DEPLOY --image=x --dry-run=server
create deployment new --image=x --dry-run=server -o name
create secret generic s --dry-run=nope
apply -f FILE --dry-run=client
apply -f FILE --dry-run=server
apply -f FILE --dry-run=server -o name
create -f FILE --dry-run=server
`
  .trim()
  .split('\n')
