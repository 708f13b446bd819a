"""The SOAP services of the stand-in's Oracle VM Manager: `services.py FOLDER PID` prints port and process, and serves
until FOLDER or the process PID is gone.

Found (Oracle VM Manager Web Services API Reference 2.2.0): services, operations and the types of their parameters; that an ISO
has a group, a file and its pool's identifier; the parts of an ISOVmConfig that are named so in AbstractVMConfig and ISOVMConfig.
Assumed: where the services are, HTTP's basic login, the namespaces and the form of messages (document, wrapped), all other names
of fields. What an operation does is the business of bin/ovm.sh, which is asked as the command line is.
"""
import base64
import os
import shlex
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.dom import minidom
from xml.sax.saxutils import escape

HERE = os.path.dirname(os.path.abspath(__file__))
SPACE = "http://oracle/ovs/api/"
TYPES_SPACE = "http://oracle/ovs/api/datamodel/"

# Fields of each class, with their types; a list is told by its brackets.
TYPES = {
    "ServerPool": [("id", "long"), ("serverPoolName", "string"), ("virtualIP", "string")],
    "VirtualServer": [("id", "long"), ("serverName", "string"), ("ip", "string")],
    "MasterVirtualServer": [("id", "long"), ("serverName", "string"), ("ip", "string")],
    "VirtualServerConfig": [("serverName", "string"), ("ip", "string"), ("agentUser", "string"), ("agentPassword", "string")],
    "ServerPoolConfig": [
        ("serverPoolName", "string"),
        ("virtualIP", "string"),
        ("masterServer", "VirtualServerConfig"),
        ("comments", "string"),
    ],
    "ISOResource": [("id", "long"), ("serverPoolId", "long"), ("ISOGroup", "string"), ("ISOFileName", "string")],
    "DiskConfig": [("diskSize", "long")],
    "NICConfig": [("macAddress", "string"), ("bridge", "string")],
    "VirtualMachineBase": [("vmName", "string"), ("operatingSystem", "string")],
    "ISOVmConfig": [
        ("serverPool", "ServerPool"),
        ("iso", "ISOResource"),
        ("memory", "int"),
        ("cpuNumber", "int"),
        ("consolePassword", "string"),
        ("diskConf", "DiskConfig"),
        ("vif", "NICConfig[]"),
        ("comments", "string"),
    ],
    "VirtualMachine": [("id", "long"), ("vmName", "string")],
}
BASES = {"ISOVmConfig": "VirtualMachineBase"}
OPERATIONS = {
    "ServerPoolService": {
        "createServerPool": (["ServerPoolConfig", "long[]"], "ServerPool"),
        "deleteServerPool": (["ServerPool", "boolean", "boolean", "string[]"], None),
        "addMembers": (["ServerPool", "VirtualServerConfig[]"], "VirtualServer[]"),
        "getAllServerPools": ([], "ServerPool[]"),
        "getMasterServer": (["ServerPool"], "MasterVirtualServer"),
        "checkHAAbility4ServerPoolById": (["long"], None),
    },
    "ResourceService": {
        "getAllISOResources": (["string"], "ISOResource[]"),
        "approveISOResource": (["long"], None),
        "deleteISO": (["long"], None),
    },
    "LifecycleService": {"createVmBasedOnISO": (["ISOVmConfig"], "VirtualMachine")},
}
FOLDER, PARENT = sys.argv[1], int(sys.argv[2])
MANAGER = os.path.join(FOLDER, "manager")


class Refused(Exception):
    pass


def read(*path):
    with open(os.path.join(MANAGER, *path)) as file:
        return file.read().strip()


def ask(*words):
    """Asks the Manager as its command line does."""
    words = ["/standin-bin/ovm.sh", "-u", "admin", "-p", read("password")] + list(words)
    environment = dict(os.environ, SSH_ORIGINAL_COMMAND="STANDIN_VIA=soap " + " ".join(shlex.quote(word) for word in words))
    command = ["sh", os.path.join(HERE, "enter.sh"), FOLDER, "OVMANAGER"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    said = done.stdout.decode().strip()
    if done.returncode != 0:
        raise Refused(said.replace("Error: ", ""))
    return said


def pools():
    return [
        {"id": read("pools", name, "id"), "serverPoolName": name, "virtualIP": read("pools", name, "virtual")}
        for name in sorted(os.listdir(os.path.join(MANAGER, "pools")))
    ]


def isos():
    """Each ISO with an identifier: the sum of its name's letters."""
    names = sorted(os.listdir(os.path.join(MANAGER, "isos")))
    return [{"id": str(sum(name.encode())), "serverPoolId": "41", "ISOGroup": "ISO", "ISOFileName": name} for name in names]


def iso_of(number):
    for iso in isos():
        if iso["id"] == number:
            return iso["ISOFileName"]
    raise Refused("ISO %s not found." % number)


def pool_of(node):
    """The name of the pool that was sent as it had been received: by its identifier."""
    for pool in pools():
        if pool["id"] == value(node, "id"):
            return pool["serverPoolName"]
    raise Refused("Server pool not found.")


def inner(node):
    return [child for child in node.childNodes if child.nodeType == child.ELEMENT_NODE]


def value(node, *path):
    for name in path:
        node = ([child for child in inner(node) if child.localName == name] or [None])[0]
        if node is None:
            return ""
    return "".join(child.data for child in node.childNodes if child.nodeType == child.TEXT_NODE)


def carry_out(operation, given):
    """What an operation answers with: a dictionary, a list of them, or nothing."""
    if operation == "getAllServerPools":
        return pools()
    if operation == "createServerPool":
        name, master = value(given[0], "serverPoolName"), ("masterServer",)
        address, word = value(given[0], *master, "ip"), value(given[0], *master, "agentPassword")
        ask("svrp", "new", "-n", name, "-m", address, "-w", word, "-v", value(given[0], "virtualIP"))
        return [pool for pool in pools() if pool["serverPoolName"] == name][0]
    if operation == "deleteServerPool":
        ask("svrp", "del", "-n", pool_of(given[0]))
        return None
    if operation == "addMembers":
        for config in inner(given[1]):
            name, address = value(config, "serverName"), value(config, "ip")
            ask("svr", "add", "-n", name, "-a", address, "-w", value(config, "agentPassword"), "-s", pool_of(given[0]))
        return []
    if operation == "getMasterServer":
        name = ask("svrp", "master", "-n", pool_of(given[0]))
        # Whether it has the server's name or its address is not known.
        if os.path.exists(os.path.join(FOLDER, "faults/master-by-address")):
            with open(os.path.join(FOLDER, "hosts", name, "state/address")) as file:
                return {"id": "7", "ip": file.read()}
        return {"id": "7", "serverName": name}
    if operation == "checkHAAbility4ServerPoolById":
        names = [pool["serverPoolName"] for pool in pools() if pool["id"] == value(given[0])]
        if not names:
            raise Refused("Server pool %s not found." % value(given[0]))
        ask("svrp", "ha", "-n", names[0])
        return None
    if operation == "getAllISOResources":
        return isos()
    if operation == "approveISOResource":
        ask("iso", "approve", "-n", iso_of(value(given[0])))
        return None
    if operation == "deleteISO":
        ask("iso", "del", "-n", iso_of(value(given[0])))
        return None
    vm = given[0]
    words = ["-m", value(vm, "memory"), "-c", value(vm, "cpuNumber"), "-i", value(vm, "iso", "ISOFileName")]
    ask("vm", "new", "-n", value(vm, "vmName"), "-s", value(vm, "serverPool", "serverPoolName"), *words)
    return {"id": "7", "vmName": value(vm, "vmName")}


def kind(name):
    if name in ("long", "int", "boolean", "string"):
        return "xsd:" + name
    return "t:" + name.replace("[]", "Array")


def wsdl(service, address):
    operations = OPERATIONS[service]
    types, elements, messages, ports, bound = [], [], [], [], []
    arrays = set()

    def field(name, of):
        if of.endswith("[]"):
            arrays.add(of[:-2])
        return '<xsd:element name="%s" type="%s" nillable="true"/>' % (name, kind(of))

    for name, fields in sorted(TYPES.items()):
        body = "<xsd:sequence>%s</xsd:sequence>" % "".join(field(*one) for one in fields)
        if name in BASES:
            body = '<xsd:complexContent><xsd:extension base="t:%s">%s</xsd:extension></xsd:complexContent>' % (BASES[name], body)
        types.append('<xsd:complexType name="%s">%s</xsd:complexType>' % (name, body))
    for name, (parameters, result) in sorted(operations.items()):
        inside = "".join(field("%s_%d" % (of.replace("[]", "Array"), place + 1), of) for place, of in enumerate(parameters))
        elements.append('<xsd:element name="%sElement"><xsd:complexType><xsd:sequence>%s</xsd:sequence></xsd:complexType></xsd:element>' % (name, inside))
        answer = result and field("result", result) or ""
        elements.append('<xsd:element name="%sResponseElement"><xsd:complexType><xsd:sequence>%s</xsd:sequence></xsd:complexType></xsd:element>' % (name, answer))
        for end in ("", "Response"):
            messages.append('<message name="%s_%s%s"><part name="parameters" element="tns:%s%sElement"/></message>' % (service, name, end, name, end))
        ports.append('<operation name="%s"><input message="tns:%s_%s"/><output message="tns:%s_%sResponse"/></operation>' % (name, service, name, service, name))
        bound.append('<operation name="%s"><soap:operation soapAction="%s%s/%s"/><input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>' % (name, SPACE, service, name))
    for name in sorted(arrays):
        item = '<xsd:element name="item" type="%s" minOccurs="0" maxOccurs="unbounded"/>' % kind(name)
        types.append('<xsd:complexType name="%sArray"><xsd:sequence>%s</xsd:sequence></xsd:complexType>' % (name, item))
    return """<?xml version="1.0" encoding="UTF-8"?>
<definitions name="%(service)s" targetNamespace="%(space)s" xmlns="http://schemas.xmlsoap.org/wsdl/"
 xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:tns="%(space)s"
 xmlns:t="%(types_space)s"><types>
<xsd:schema targetNamespace="%(types_space)s" elementFormDefault="qualified">%(types)s</xsd:schema>
<xsd:schema targetNamespace="%(space)s" elementFormDefault="qualified">%(elements)s</xsd:schema></types>
%(messages)s<portType name="%(service)s">%(ports)s</portType>
<binding name="%(service)sHttp" type="tns:%(service)s"><soap:binding style="document"
 transport="http://schemas.xmlsoap.org/soap/http"/>%(bound)s</binding>
<service name="%(service)s"><port name="%(service)sPort" binding="tns:%(service)sHttp"><soap:address
 location="%(address)s"/></port></service></definitions>""" % {
        "service": service,
        "space": SPACE,
        "types_space": TYPES_SPACE,
        "types": "".join(types),
        "elements": "".join(elements),
        "messages": "".join(messages),
        "ports": "".join(ports),
        "bound": "".join(bound),
        "address": address,
    }


def told(answer, of):
    """An answer in XML."""
    if answer is None:
        return ""
    if isinstance(answer, list):
        return "<result>%s</result>" % "".join("<item>%s</item>" % told_fields(one, of[:-2]) for one in answer)
    return "<result>%s</result>" % told_fields(answer, of)


def told_fields(answer, of):
    known = [(name, answer[name]) for name, _ in TYPES[of] if name in answer]
    return "".join('<t:%s xmlns:t="%s">%s</t:%s>' % (name, TYPES_SPACE, escape(text), name) for name, text in known)


def logged(node):
    """All that was sent but for passwords, in its order."""
    words = []
    for child in inner(node):
        if inner(child):
            words.extend(logged(child))
        elif value(child) and not child.localName.lower().endswith("password"):
            words.append("%s=%s" % (child.localName, value(child)))
    return words


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def say(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def service(self):
        with open(os.path.join(FOLDER, "hosts/OVMANAGER/state/services/oc4j")) as file:
            if file.read().strip() != "running":
                # Who does not run does not answer.
                return None
        name = self.path.split("?")[0].split("/")[-1]
        login = "Basic " + base64.b64encode(("admin:" + read("password")).encode()).decode()
        if self.headers["Authorization"] != login:
            self.say(401, "")
        elif name not in OPERATIONS:
            self.say(404, "")
        else:
            return name
        return None

    def do_GET(self):
        service = self.service()
        if service is not None:
            self.say(200, wsdl(service, "http://manager.invalid:8888" + self.path.split("?")[0]))

    def do_POST(self):
        service = self.service()
        if service is None:
            return
        request = minidom.parseString(self.rfile.read(int(self.headers["Content-Length"])))
        call = inner([node for node in inner(request.documentElement) if node.localName == "Body"][0])[0]
        operation = call.localName.replace("Element", "")
        action = self.headers["SOAPAction"]
        with open(os.path.join(FOLDER, "log"), "a") as log:
            log.write("OVMANAGER\tsoap %s\n" % " ".join([service, operation] + logged(call)))
        envelope = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>%s</e:Body></e:Envelope>'
        try:
            if call.namespaceURI != SPACE or action != '"%s%s/%s"' % (SPACE, service, operation):
                raise Refused("No operation %s." % action)
            parameters, result = OPERATIONS[service][operation]
            wanted = ["%s_%d" % (of.replace("[]", "Array"), place + 1) for place, of in enumerate(parameters)]
            if [node.localName for node in inner(call)] != wanted:
                raise Refused("Unexpected parameters.")
            answer = told(carry_out(operation, inner(call)), result)
            body = '<%sResponseElement xmlns="%s">%s</%sResponseElement>' % (operation, SPACE, answer, operation)
            self.say(200, envelope % body)
        except Refused as refused:
            fault = "<e:Fault><faultcode>e:Server</faultcode><faultstring>%s</faultstring></e:Fault>" % escape(str(refused))
            self.say(500, envelope % fault)


def wanted_still():
    try:
        os.kill(PARENT, 0)
    except OSError:
        return False
    return os.path.isdir(FOLDER)


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    child = os.fork()
    if child:
        sys.stdout.write("%d %d\n" % (server.server_address[1], child))
        return
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    server.timeout = 1
    while wanted_still():
        server.handle_request()


main()
