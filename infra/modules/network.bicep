// The network of the private deployment: one subnet for what the app calls from, one for the endpoints that it calls.
param location string
param tags object
param token string
param hosting string

var appSubnet = 'app'
var endpointSubnet = 'endpoints'

module network 'br/public:avm/res/network/virtual-network:0.10.1' = {
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    addressPrefixes: [
      '10.0.0.0/16'
    ]
    subnets: [
      {
        name: appSubnet
        addressPrefix: '10.0.0.0/24'
        // Flex Consumption runs on Container Apps' infrastructure, Elastic Premium on App Service's.
        delegation: hosting == 'flex' ? 'Microsoft.App/environments' : 'Microsoft.Web/serverFarms'
      }
      {
        name: endpointSubnet
        addressPrefix: '10.0.1.0/24'
        privateEndpointNetworkPolicies: 'Disabled'
        defaultOutboundAccess: false
      }
    ]
    enableTelemetry: false
  }
}

output networkId string = network.outputs.resourceId
output appSubnetId string = '${network.outputs.resourceId}/subnets/${appSubnet}'
output endpointSubnetId string = '${network.outputs.resourceId}/subnets/${endpointSubnet}'
